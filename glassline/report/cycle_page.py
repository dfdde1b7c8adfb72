"""The page of a cycle: what was decided and why, how candidates and champion did, and what to look at."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.analysis.compared import Compared, Product
from glassline.analysis.cycle_rates import rates_of
from glassline.analysis.metrics import classifier_metrics
from glassline.report.cycle_summary import cycle_headline, rate_cells
from glassline.report.figures import confusion_figure, figure_png
from glassline.report.page import PageFigure, ReportContent, Section, SectionTable, Verdict, write_page

_COLUMNS = ("model", "accuracy", "false negatives", "false positives", "ms a unit, 95th percentile")


def write_cycle_page(
    title: str, facts: Mapping[str, str], promotion: Mapping[str, Any], compared: Sequence[Compared],
    sections: Sequence[Section], warnings: Sequence[str], path: str | Path,
) -> None:  # fmt: skip
    """Write the page.

    Args:
        title: Product and cycle.
        facts: What was run, name to value.
        promotion: What `promote_model` wrote.
        compared: What `compare_champion` wrote, one per candidate.
        sections: Of the data's check, the sources and the review queue.
        warnings: What the steps noted.
        path: The file.
    """
    reasons = [f"{'✓' if one['passed'] else '✗'} {one['text']}" for one in promotion["reasons"]]
    content = ReportContent(
        title=title, facts=facts, verdict=Verdict(promotion["promoted"], cycle_headline(promotion), reasons),
        sections=[_gate(promotion), _models(compared), *sections], warnings=warnings,
        highlights=_highlights(promotion, compared),
    )  # fmt: skip
    write_page(content, path)


def _gate(promotion: Mapping[str, Any]) -> Section:
    rows = [
        {"rule": one["rule"].replace("_", " "), "holds": bool(one["passed"]), "why": one["text"]}
        for one in promotion["reasons"]
    ]
    note = (
        f"Of all candidates {promotion['candidate']} is the one that was registered. It becomes champion only when "
        "every rule holds; see docs/gate.md."
    )
    return Section("The gate", (), note, [SectionTable("Rules", rows)])


def _models(compared: Sequence[Compared]) -> Section:
    note = (
        "Candidates are judged out of fold: each unit by the fit that had not seen it. The champion judges the same "
        "units as it stands. Of the old product both judge the fold that the champion's training held out. A unit is "
        "a mark where single marks are annotated, else an image. False negatives: defective, judged clean."
    )
    products: tuple[tuple[Product, str], ...] = (("new", "New product"), ("old", "Old product"))
    tables = [
        SectionTable(name, [dict(zip(_COLUMNS, rate_cells(one), strict=True)) for one in found])
        for product, name in products
        if (found := rates_of(compared, product))
    ]
    return Section("Candidates and champion", list(_confusions(compared)), note, tables)


def _confusions(compared: Sequence[Compared]) -> Iterator[PageFigure]:
    """Yield the confusion matrix of every candidate on the new product, and the champion's."""
    for one in compared:
        if (rows := one.units("new")).size:
            yield _confusion(rows, "candidate", one.name)
    for one in [one for one in compared if not one.failure][:1]:
        rows = one.units("new")
        if (rows := rows[rows["champion"] != ""]).size:
            yield _confusion(rows, "champion", f"champion {one.champion}")


def _confusion(rows: pd.DataFrame, column: str, name: str) -> PageFigure:
    classes = sorted({*rows["actual"], *rows[column]})
    metrics = classifier_metrics(rows["actual"], rows[column], classes)
    title = f"{name}, new product"
    return PageFigure(figure_png(confusion_figure(metrics.confusion, classes, title)), f"Confusion matrix of {title}")


def _highlights(promotion: Mapping[str, Any], compared: Sequence[Compared]) -> dict[str, str]:
    """Return the large figures: those of the candidate that was registered."""
    named = [found for found in rates_of(compared, "new") if found.model == promotion["candidate"]]
    if not named:  # no unit was left that neither model was trained on
        return {}
    _, accuracy, missed, _, latency_ms = rate_cells(named[0])
    found = {"accuracy": accuracy, "false negatives": missed, "ms a unit": latency_ms}
    return {name: value.partition(" (")[0] for name, value in found.items()}
