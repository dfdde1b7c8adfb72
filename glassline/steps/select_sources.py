"""Choose the sources that a base network is retrained on."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.analysis.affinity import read_affinity
from glassline.analysis.selection_reasons import explain
from glassline.analysis.source_selection import SelectionSettings
from glassline.analysis.source_selection import select_sources as select
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.steps.measure_affinity import AFFINITY, SAMPLES
from glassline.tracking import step_run

#: Files of the selection's folder: what was chosen, why, and a figure.
SELECTION, REASONS, FIGURE = "selection.json", "reasons.parquet", "selection.png"


def select_sources(affinity_path: str, selection: Mapping[str, Any], selection_path: str) -> None:
    """Choose sources under a budget of samples and write what was chosen and why.

    Args:
        affinity_path: Folder written by `measure_affinity`.
        selection: Fields of `SelectionSettings`.
        selection_path: Folder for `selection.json`, `reasons.parquet` (see `explain`) and a figure.

    Raises:
        DataError: No source fits the budget, or none reach the coverage with it; says what would do.
    """
    from glassline.report.affinity import selection_figure
    from glassline.report.figures import save_figure

    with step_run("select_sources", {"selection": dict(selection)}) as run:
        affinity = read_affinity(Path(affinity_path) / AFFINITY)
        samples = _samples(Path(affinity_path) / SAMPLES)
        chosen = select(
            affinity, [samples.get(name, 0) for name in affinity.sources], SelectionSettings.parse(selection)
        )
        reasons, figure = explain(chosen), selection_figure(chosen)
        with written_whole(selection_path) as beside:
            beside.mkdir(parents=True)
            chosen.write(beside / SELECTION)
            reasons.to_parquet(beside / REASONS)
            save_figure(figure, beside / FIGURE)
        run.table(reasons, "reasons")
        run.figure(figure, "selection")
        run.metrics({
            "sources": len(chosen.sources), "samples": chosen.samples, "least_coverage": float(chosen.coverage_T.min()),
        })  # fmt: skip


def _samples(path: Path) -> dict[str, int]:
    try:
        return {str(name): int(count) for name, count in json.loads(path.read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} must tell the samples of sources, got none ({error}); run measure_affinity again"
        ) from error
