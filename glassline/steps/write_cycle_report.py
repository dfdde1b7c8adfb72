"""Gather what a cycle came to into a page for reviewers and a few lines for a commit."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glassline.analysis.compared import read_compared
from glassline.analysis.defect_rates import defect_rates
from glassline.analysis.metrics import grouped_metrics
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.report.cycle_check_section import cycle_check_sections
from glassline.report.cycle_page import write_cycle_page
from glassline.report.cycle_summary import cycle_summary
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.page_facts import page_facts
from glassline.report.review_queue import review_sections
from glassline.report.tables import rows_of
from glassline.steps.evaluate_classifier import PREDICTIONS
from glassline.steps.select_sources import FIGURE, REASONS, SELECTION
from glassline.tracking import parent_artifact, parent_tags, pipeline_notes, step_run
from glassline.tracking.cycles import REPORT, SUMMARY
from glassline.training.failed_fit import failure_of


def write_cycle_report(
    samples_path: str, augmented_path: str, checked_path: str, chosen_path: str, validated_paths: Sequence[str],
    compared_paths: Sequence[str], promotion_path: str, queue_path: str, product: str, cycle: str, report_path: str,
) -> None:  # fmt: skip
    """Write page and summary, and log both on the pipeline's own run, with the registered candidate's metrics.

    Args:
        samples_path: Table of images.
        augmented_path: Table of patches with folds and copies.
        checked_path: Folder written by `check_cycle`.
        chosen_path: Folder written by `choose_sources`.
        validated_paths: Folders with out-of-fold `predictions.parquet`, one per candidate.
        compared_paths: Folders written by `compare_champion`, one per candidate.
        promotion_path: JSON written by `promote_model`.
        queue_path: Folder written by `queue_review`.
        product: Product of the cycle; images may have named another.
        cycle: Its name.
        report_path: The page.

    Raises:
        DataError: What another step left is not as it was written.
    """
    with step_run("write_cycle_report", {"candidates": len(compared_paths)}) as run:
        images = read_samples(samples_path, "images")
        patches = read_samples(augmented_path, "patches", ["augmentation"])
        promotion = json.loads(Path(promotion_path).read_text())
        compared, warnings = [read_compared(path) for path in compared_paths], pipeline_notes()
        facts = page_facts(images, len(images.rows), candidates=", ".join(one.name for one in compared))
        facts |= {"product": product, "cycle": cycle}
        title = f"{product}, cycle {cycle}"
        folder = Path(report_path).parent
        page, summary = folder / REPORT, folder / SUMMARY  # MLflow shows a page by its ending
        sections = [*cycle_check_sections(checked_path), *_sources(chosen_path), *review_sections(queue_path)]
        write_cycle_page(title, facts, promotion, compared, sections, warnings, page)
        with written_whole(report_path) as beside:
            shutil.copyfile(page, beside)
        with written_whole(summary) as beside:
            beside.write_text(cycle_summary(title, promotion, compared, warnings), encoding="utf-8")
        for path in (page, summary):
            run.artifact(path)
            parent_artifact(path)
        told_of = [Path(path) / PREDICTIONS for path in validated_paths if not failure_of(path)]
        validated = pd.concat(map(pd.read_parquet, told_of))
        rows = validated[validated["model"] == promotion["candidate"]]
        metrics = grouped_metrics(
            rows["actual"].tolist(), rows["predicted"].tolist(), rows["group"].tolist(), patches.classes
        )
        told = {"product": product, "cycle": cycle, "method": promotion["candidate"]}
        rates = defect_rates(rows["actual"], rows["predicted"], patches.clean_class)
        parent_tags(told, metrics.as_dict() | rates)


def _sources(chosen_path: str) -> list[Section]:
    """Return what candidates could learn from first, where there was anything."""
    folder = Path(chosen_path)
    names = json.loads((folder / SELECTION).read_text())["chosen"]
    if not names:
        return []
    note = f"Candidates that start from sources learned from these first: {', '.join(names)}."
    if not (folder / REASONS).is_file():  # a single source, which there was nothing to choose from
        return [Section("Sources", (), note)]
    rows = rows_of(pd.read_parquet(folder / REASONS))
    figure = PageFigure((folder / FIGURE).read_bytes(), "Affinity of each source, its samples, and what was chosen")
    return [Section("Sources", [figure], note, [SectionTable("Sources", rows)])]
