"""Measure one table or figure of the papers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from glassline.bench.catalogue import find_entry
from glassline.bench.entry import Size
from glassline.bench.run import FIGURE, RECORD, result_of, run_entry
from glassline.data.storage import written_whole
from glassline.errors import SettingsError
from glassline.tracking import step_run


def run_benchmark(
    entry: Mapping[str, Any], places: Sequence[str], size: Size, seed: int, store: str, threads: int, result_path: str
) -> None:  # fmt: skip
    """Measure an entry of the catalogue; what was measured before with this code, data and size is not again.

    Its run has the metrics `published_…`, `ours_…` and `difference_…` of each quantity.

    Args:
        entry: Its `id`, and `data_hash`, the SHA-256 of its data set at submission, "" where it is not known.
        places: Folders or S3 URLs with data sets below them.
        size: smoke, demo or full.
        seed: Seed of draws and fits.
        store: Folder or S3 URL for results, shards and checkpoints.
        threads: CPU threads; 0 takes all cores.
        result_path: Folder for `result.json` and `figure.png`.

    Raises:
        SettingsError: No entry has this id, or no function measures it.
        DataError: The data set is missing, or is another one than at submission.
    """
    told = find_entry(str(entry["id"]))
    if not told.measure:
        raise SettingsError(f"an entry must have a measuring function, got {told.id!r}; run `{told.script}`")
    params = {"entry": told.id, "item": told.item, "size": size, "seed": int(seed)}
    with step_run("run_benchmark", params, part=told.id) as run:
        kept = run_entry(told, places, str(entry.get("data_hash", "")), size, int(seed), store, int(threads))
        with written_whole(result_path) as beside:
            beside.mkdir(parents=True)
            for name in (RECORD, FIGURE):
                (beside / name).write_bytes(kept.file(name).read_bytes())
        record = result_of(result_path)
        run.params(
            {name: getattr(record, name) for name in ("command", "data", "data_hash", "protocol", "machine", "code")}
        )
        run.metrics(_metrics(told.published, record.values[told.id]))
        run.artifact(Path(result_path) / FIGURE, "figures")
        run.artifact(Path(result_path) / RECORD)


def _metrics(published: Mapping[str, float], ours: Mapping[str, float]) -> dict[str, float]:
    """Return published and ours by name, and ours minus published where both are known."""
    both = {name: ours[name] - value for name, value in published.items() if name in ours}
    told = {"published": published, "ours": ours, "difference": both}
    return {f"{kind}_{name}": float(value) for kind, values in told.items() for name, value in values.items()}
