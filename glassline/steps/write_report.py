"""Gather what the other steps left into one page."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.data.samples import SampleTable, read_samples
from glassline.data.storage import written_whole
from glassline.report.gate import gate_section, reason_lines
from glassline.report.hold_out_section import hold_out_sections
from glassline.report.input_variation import input_sections
from glassline.report.page import LooksElsewhere, PageFigure, ReportContent, Section, Verdict, write_page
from glassline.report.page_facts import page_facts
from glassline.report.review_queue import review_sections
from glassline.report.scratch_section import scratch_sections
from glassline.report.tables import rows_of
from glassline.steps.compare_models import COMPARISON, FIGURE
from glassline.steps.evaluate_classifier import METRICS
from glassline.steps.explain_cam import ELSEWHERE, EXPLAINED
from glassline.tracking import parent_artifact, pipeline_notes, step_run

_OVERALL = (
    "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high", "macro_precision",
    "macro_recall", "f1_of_means",
)  # fmt: skip
_PER_CLASS = ("precision", "recall", "recall_low", "recall_high", "f1", "support")


def write_report(
    samples_path: str, augmented_path: str, evaluation_path: str, comparison_path: str, explanation_path: str,
    embedding_path: str, tracked_path: str, analysis_path: str, hold_out_path: str, promotion_path: str, model: str,
    metric_model: str, report_path: str, segmentation_path: str, queue_path: str,
) -> None:  # fmt: skip
    """Write the report, and log it on the pipeline's own run.

    Args:
        samples_path: Table of images.
        augmented_path: Table of patches with folds and copies.
        evaluation_path: Folder written by `evaluate_classifier`.
        comparison_path: Folder written by `compare_models`.
        explanation_path: Folder written by `explain_cam`.
        embedding_path: Fragment written by `embed_tsne`.
        tracked_path: The same of the metric network, the exported model's errors ringed.
        analysis_path: Folder written by `analyse_inputs`.
        hold_out_path: Folder written by `hold_out`.
        promotion_path: JSON written by `promote_model`.
        model: Name of the exported model.
        metric_model: Name of the metric network.
        report_path: The page.
        segmentation_path: Folder written by `evaluate_segmentation`, "" where none was looked for.
        queue_path: Folder written by `queue_review`, "" where there is none.
    """
    with step_run("write_report", {"model": model}) as run:
        images, patches = (
            read_samples(samples_path, "images"),
            read_samples(augmented_path, "patches", ["augmentation"]),
        )
        promotion = json.loads(Path(promotion_path).read_text())
        metrics: dict[str, dict[str, float]] = json.loads((Path(evaluation_path) / METRICS).read_text())
        content = ReportContent(
            title=f"{model}: retrained and compared",
            facts=page_facts(images, len(images.rows), patches=_patches(patches)),
            verdict=_verdict(promotion, model),
            models=[{"model": name, **{key: one[key] for key in _OVERALL}} for name, one in metrics.items()],
            significance=rows_of(pd.read_parquet(Path(comparison_path) / COMPARISON)),
            per_class=[
                {"class": name, **{key: metrics[model][f"{key}_{name}"] for key in _PER_CLASS}}
                for name in images.classes
            ],
            sections=[
                gate_section(promotion),
                *input_sections(analysis_path),
                _figures("Every pair of models", comparison_path, FIGURE, "Which of two models is right more often"),
                _figures("Cross-validation", evaluation_path, "confusion_*.png", "Confusion matrix of {}, all folds"),
                _figures("Folds", evaluation_path, "folds.png", "Accuracy and macro F1 of every fold"),
                _figures("Training", evaluation_path, "curves.png", "Loss of every fold by epoch"),
                *hold_out_sections(hold_out_path),
                _figures(
                    "Where the model looks", explanation_path, "cam_*.png", "Activation maps of {}",
                    _shares(explanation_path),
                ),
                *(scratch_sections(segmentation_path) if segmentation_path else []),
                *(review_sections(queue_path) if queue_path else []),
            ],
            tsne={
                name: Path(path).read_text(encoding="utf-8")
                for name, path in ((model, embedding_path), (f"{metric_model}, latent space", tracked_path))
            },
            warnings=pipeline_notes(),
            elsewhere=_elsewhere(explanation_path),
            highlights={
                "accuracy": f"{metrics[model]['accuracy']:.1%}",
                "macro F1": f"{metrics[model]['macro_f1']:.3f}",
                "judged": f"{metrics[model]['samples']:.0f}",
            },
        )  # fmt: skip
        named = Path(report_path).with_name("report.html")  # MLflow shows a page by its ending
        write_page(content, named)
        with written_whole(report_path) as beside:
            shutil.copyfile(named, beside)
        run.artifact(named)
        parent_artifact(named)


def _patches(patches: SampleTable) -> str:
    copies = int((patches.rows["augmentation"] != "").sum())
    return f"{len(patches.rows) - copies} and {copies} augmented copies"


def _verdict(found: Mapping[str, Any], model: str) -> Verdict:
    stays = "the champion stays" if found["champion"] else "nothing is promoted"
    word = "is the champion" if found["promoted"] else f"is a challenger; {stays}"
    return Verdict(
        found["promoted"], f"{model}, version {found['version']} of {found['name']}, {word}", reason_lines(found)
    )


def _figures(title: str, folder: str, pattern: str, caption: str, note: str = "") -> Section:
    """Return a section of the PNG files of a folder; what follows the first underscore fills the caption."""
    paths = sorted(Path(folder).glob(pattern))
    found = [PageFigure(path.read_bytes(), caption.format(path.stem.partition("_")[2])) for path in paths]
    return Section(title, found, note)


def _shares(explanation_path: str) -> str:
    explained = pd.read_parquet(Path(explanation_path) / EXPLAINED)
    masked = explained[explained["mask_share"] > 0]
    if masked.empty:
        return "No sample has a defect mask, so the share of energy inside it is not known."
    shares = masked.groupby("label")["energy_share"].mean()
    parts = ", ".join(f"{name} {value:.0%}" for name, value in shares.items())
    return f"Mean share of the map's energy inside the defect mask: {parts}."


def _elsewhere(explanation_path: str) -> list[LooksElsewhere]:
    rows = pd.read_parquet(Path(explanation_path) / ELSEWHERE).to_dict("records")
    return [
        LooksElsewhere(row["id"], row["label"], row["predicted"], row["energy_share"], row["thumbnail"]) for row in rows
    ]
