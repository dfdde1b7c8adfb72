"""The review queue for people: a page to decide on, and what the report shows of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from glassline.data.storage import written_whole
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.style import INK, new_figure, plain
from glassline.report.templates import CONTENT_POLICY, template

#: Files of the queue's folder.
QUEUE, PAGE, SHEET = "queue.parquet", "review.html", "sheet.png"

_SHOWN = 24  # samples on the sheet
_ACROSS = 6


def write_queue_page(
    queue: pd.DataFrame, classes: Sequence[str], title: str, facts: Mapping[str, str], path: Path
) -> None:
    """Write the page: one HTML file that needs no network, on which decisions can be made and copied.

    Args:
        queue: One row per sample: id, label, predicted, doubt, reasons, text, place, crop and `picture` (PNG bytes).
        classes: Classes that a sample may have.
        title: Title of the page.
        facts: What was run, name to value.
        path: The page.
    """
    rows = [_card(row) for row in queue.to_dict("records")]
    counts = Counter(reason for row in rows for reason in row["reasons"].split(", "))
    html = template("review_queue.html").render(
        policy=CONTENT_POLICY, title=title, facts=facts, rows=rows, reasons=dict(counts.most_common()), classes=classes
    )
    with written_whole(path) as beside:
        beside.write_text(html, encoding="utf-8")


def _card(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row with the place of the mark on its picture, in percent."""
    place = {
        "left": row["x_px"] - row["crop_x_px"], "top": row["y_px"] - row["crop_y_px"], "width": row["width_px"],
        "height": row["height_px"],
    }  # fmt: skip
    return {**row, **{side: round(100 * value / row["crop_px"], 2) for side, value in place.items()}}


def queue_sheet(queue: pd.DataFrame) -> Figure:
    """Draw the first samples of a queue with label, prediction and reasons."""
    shown = queue.head(_SHOWN)
    down = max(-(-len(shown) // _ACROSS), 1)
    figure = new_figure(2 * _ACROSS, 2.35 * down)
    grid = figure.subplots(down, _ACROSS, squeeze=False).ravel()
    for axes in grid:
        axes.set_axis_off()
    for axes, row in zip(grid, shown.to_dict("records"), strict=False):
        picture_HW = cv2.imdecode(np.frombuffer(row["picture"], np.uint8), cv2.IMREAD_GRAYSCALE)
        axes.imshow(picture_HW, cmap="gray", vmin=0, vmax=255)
        said = row["label"] if row["predicted"] in ("", row["label"]) else f"{row['label']} → {row['predicted']}"
        axes.set_title(f"{plain(said, 24)}\n{plain(row['reasons'], 30)}", fontsize=7.5, color=INK, loc="left")
    return figure


def review_sections(queue_path: str) -> list[Section]:
    """Return what a report shows of a queue.

    Args:
        queue_path: Folder written by `queue_review`.
    """
    folder = Path(queue_path)
    queue = pd.read_parquet(folder / QUEUE)
    if queue.empty:
        return [Section("To review", [], "No sample is in doubt.", [SectionTable("Reasons", [])])]
    counts = Counter(reason for told in queue["reasons"] for reason in told.split(", "))
    rows = [{"reason": reason, "samples": count} for reason, count in counts.most_common()]
    shown = f"the first {_SHOWN} are shown" if len(queue) > _SHOWN else "all are shown"
    note = (
        f"{len(queue)} samples are for a person to look at, {shown}. Decide on them in {PAGE} of this run, or in "
        "labelling software with the tasks in its folder review; decisions come back by the setting reviews."
    )
    figure = PageFigure((folder / SHEET).read_bytes(), "What to look at first: label → prediction, and why")
    return [Section("To review", [figure], note, [SectionTable("Reasons", rows)])]
