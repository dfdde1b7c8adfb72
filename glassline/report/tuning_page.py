"""The page of a search for settings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.report.page import PageFigure, ReportContent, Section, SectionTable, write_page
from glassline.tuning.spaces import Axis

_CAPTIONS = {
    "tuning": "Accuracy grouped by each setting, and of every combination; the best is framed",
    "history": "Score of each trial and the best so far",
    "importances": "Share of the scores' variance that each setting explains",
    "slices": "Scores of complete trials over each setting; the best is ringed",
}


def write_tuning_page(
    objective: str, score: float, settings: Mapping[str, Any], trials: pd.DataFrame, axes: Sequence[Axis],
    figures: Mapping[str, bytes], facts: Mapping[str, str], command: str, path: Path,
) -> None:  # fmt: skip
    """Write the page as one HTML file, whole or not at all.

    Args:
        objective: The metric that trials were compared by.
        score: The best one's.
        settings: What was searched, as the best trial had it.
        trials: One row per trial, see `Outcome`.
        axes: What was searched.
        figures: Name to PNG.
        facts: Name to value of what was run.
        command: How to train with the best settings.
        path: The file.
    """
    states = trials["state"].value_counts()
    highlights = {
        objective.replace("_", " "): f"{score:.4f}", "trials": str(len(trials)),
        **{state: str(states[state]) for state in ("pruned", "failed") if state in states},
    }  # fmt: skip
    searched = [
        {"setting": axis.setting, "best": _read(settings[axis.setting]), "searched": axis.told, "from": axis.source}
        for axis in axes
    ]
    kept = ["trial", "state", objective, "accuracy", *settings, "epochs", "seconds"]
    shown = trials[[name for name in dict.fromkeys(kept) if name in trials]].sort_values(
        objective if objective in trials else "trial", ascending=objective not in trials, kind="stable"
    )
    rows = [{str(name): _read(value) for name, value in row.items()} for row in shown.to_dict("records")]
    sections = [
        Section("Best settings", [], f"Train with them: {command}", [SectionTable("", searched)]),
        Section("Scores", [PageFigure(png, _CAPTIONS[name]) for name, png in figures.items()]),
        Section("All trials", [], "Best first. A pruned trial was worse than half of those before it.",
                [SectionTable("", rows)]),
    ]  # fmt: skip
    content = ReportContent(title=f"Tuning of {facts['method']}", facts=facts, sections=sections, highlights=highlights)
    write_page(content, path)


def _read(value: Any) -> Any:
    """Return a value as a table shows it: settings as they are typed, nothing where there is none."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return value if isinstance(value, str) else str(value)
