"""The page on the severity detection of a run, beside the report."""

from collections.abc import Mapping
from pathlib import Path

from glassline.report.detection_result import DetectionResult
from glassline.report.detection_section import detection_sections
from glassline.report.page import ReportContent, write_page


def write_detection_page(
    evaluation: str | Path, facts: Mapping[str, str], warnings: list[str], path: str | Path
) -> None:
    """Write the page as one HTML file, whole or not at all.

    Args:
        evaluation: What `DetectionResult.write` wrote, with figures beside it.
        facts: Name to value of what was run.
        warnings: What a reviewer must know before believing the figures.
        path: The file.

    Raises:
        DataError: A file of the evaluation is missing; names it.
    """
    full = DetectionResult.read(evaluation).methods.iloc[0]
    highlights = {
        "images with a defect found": f"{full['rejected']} of {full['defective']}",
        "clean ones passed": f"{full['passed']} of {full['clean']}",
        "mean IoU": f"{full['mean_iou']:.3f}",
        "F1 of the pixels": f"{full['f1']:.3f}",
    }
    content = ReportContent(
        title=f"Severity of defects: {facts['product']}, cycle {facts['cycle']}", facts=facts,
        sections=detection_sections(evaluation), warnings=warnings, highlights=highlights,
    )  # fmt: skip
    write_page(content, path)
