"""How long a bundle takes to judge one unit: a patch, or an image with all its candidates."""

import os
import platform
import time
from typing import Any

import numpy as np
import pandas as pd

from glassline.analysis.gate_settings import LatencySettings
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.deploy.bundle import Bundle
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import unknown_distance

_WARM_UP = 3


def unit_latency(
    bundle: Bundle, table: SampleTable, rows: pd.DataFrame, settings: LatencySettings
) -> dict[str, float | int | str]:
    """Run a classifier's bundle on single units and return `median` and `p95` in ms, `units`, `threads`, `machine`.

    Timed is what follows the search for candidates: the graph, for every candidate of a unit. Units are judged once
    before the clock runs, since a runtime's first calls set up memory.

    Args:
        bundle: A classifier's bundle.
        table: Table of patches.
        rows: Rows of it, at least one; of their units the first are timed.
        settings: How it is measured.

    Raises:
        ModelError: The bundle reads other patches than the table has.
        SettingsError: A threshold of a metric network is missing, unknown or out of range.
    """
    classifier = OnnxClassifier(bundle, threads=settings.threads)
    beyond = unknown_distance(bundle) is not None
    reader, seconds = ShardReader(table.root, "patch"), []
    units = [one for _, one in rows.groupby("unit", sort=True)][: settings.units]
    for number, unit in enumerate([*units[:_WARM_UP], *units]):
        given = reader.read(unit["shard"], unit["row"]), metadata_of(unit, bundle)
        started_s = time.perf_counter()
        classifier.predict(*given)
        if beyond:
            classifier.nearest_distance(*given)
        if number >= min(_WARM_UP, len(units)):
            seconds.append(time.perf_counter() - started_s)
    ms_U = 1000 * np.array(seconds)
    return {
        "median": float(np.median(ms_U)), "p95": float(np.quantile(ms_U, 0.95)), "units": len(ms_U),
        "threads": settings.threads, "machine": f"{platform.machine()} with {os.cpu_count()} cores",
    }  # fmt: skip


def metadata_of(rows: pd.DataFrame, bundle: Bundle) -> "np.ndarray[Any, np.dtype[np.float32]]":
    """Return the metadata (N, M) of rows in a bundle's column order, NaN where the table lacks a column."""
    return rows.reindex(columns=list(bundle.manifest.attributes)).to_numpy(np.float32)
