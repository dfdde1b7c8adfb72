"""Repeating marks as pictures, rows and one JSON object.

Shapes: h x w pixels around a mark.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glassline.analysis.root_cause import Example, ViewResult
from glassline.data.labels import BOX_COLUMNS
from glassline.report.style import BRIGHT, QUIET, new_figure, plain, tidy
from glassline.vision.repeating_marks import Mark, RootCauseSettings

#: Columns of the table of findings.
COLUMNS = (
    "view", *BOX_COLUMNS, "area_px", "contrast_levels", "strength_sigma", "confidence",
    "images", "images_of", "image_error", "first_image", "last_image",
)  # fmt: skip


def told(results: Sequence[ViewResult], settings: RootCauseSettings) -> dict[str, Any]:
    """Return the result as one JSON object."""
    return {
        "window": settings.window,
        "false_alarm_rate": settings.false_alarm_rate,
        "images": sum(len(result.names) for result in results),
        "windows": sum(result.windows for result in results),
        "views": [
            {"view": result.view, "images": len(result.names), "windows": result.windows, "moved": result.moved}
            for result in results
        ],
        "findings": [_finding(result, mark) for result in results for mark in result.marks],
    }


def _finding(result: ViewResult, mark: Mark) -> dict[str, Any]:
    names = [result.names[number] for number in mark.images]
    first, last = mark.window
    return {
        "view": result.view,
        "bbox": list(mark.bbox_px),
        "confidence": mark.confidence,
        "strength_sigma": round(mark.strength, 2),
        "area_px": int(mark.mask_hw.sum()),
        "contrast_levels": round(contrast(mark), 2),
        "first_image": names[0] if names else result.names[first],
        "images": names,
        "image_error": round(mark.image_error, 4),
        "window": [result.names[first], result.names[last - 1]],
    }


def contrast(mark: Mark) -> float:
    """Return how far a mark's pixels lie above (or below) what is around, in grey levels: their median."""
    return float(np.median(mark.levels_hw[mark.mask_hw]))


def findings_table(results: Sequence[ViewResult]) -> pd.DataFrame:
    """Return a row per finding."""
    rows = []
    for result in results:
        for mark in result.marks:
            one = _finding(result, mark)
            last = one["images"][-1] if one["images"] else one["window"][1]
            box = (*mark.bbox_px, one["area_px"], one["contrast_levels"], one["strength_sigma"], one["confidence"])
            shown = (len(one["images"]), len(result.names), one["image_error"], one["first_image"], last)
            rows.append(dict(zip(COLUMNS, (result.view, *box, *shown), strict=True)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write_result(results: Sequence[ViewResult], settings: RootCauseSettings, folder: Path) -> list[Path]:
    """Write `root_cause.json`, `findings.csv` and a picture per finding into a folder; return the pictures' paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "root_cause.json").write_text(json.dumps(told(results, settings), indent=1))
    findings_table(results).to_csv(folder / "findings.csv", index=False)
    pictures = []
    for number, (name, figure) in enumerate(finding_figures(results), 1):
        pictures.append(folder / f"finding-{number:02d}-{name}.png")
        figure.savefig(pictures[-1], dpi=110)
    return pictures


def finding_figures(results: Sequence[ViewResult]) -> list[tuple[str, Figure]]:
    """Return a figure per finding with the name of its view."""
    from glassline.data.names import plain_name

    return [
        (plain_name(result.view), _figure(result, mark, example))
        for result in results
        for mark, example in zip(result.marks, result.example, strict=True)
    ]


def _figure(result: ViewResult, mark: Mark, example: Example) -> Figure:
    figure = new_figure(12, 4.4)
    axes = figure.subplots(1, 3)
    height, width = example.levels_hw.shape
    extent = (example.left_px - 0.5, example.left_px + width - 0.5, example.top_px + height - 0.5, example.top_px - 0.5)
    low, high = np.percentile(example.levels_hw, (0.5, 99.5))
    axes[0].imshow(example.levels_hw, cmap="gray", vmin=low, vmax=max(high, low + 1), extent=extent)
    axes[1].imshow(example.median_hw, cmap="magma", extent=extent)
    mark_hw = np.zeros(example.levels_hw.shape, np.float32)
    x, y, mark_width, mark_height = mark.bbox_px
    inner = (
        slice(y - example.top_px, y - example.top_px + mark_height),
        slice(x - example.left_px, x - example.left_px + mark_width),
    )
    mark_hw[inner] = np.where(mark.mask_hw, mark.levels_hw, 0)
    most = max(float(np.abs(mark_hw).max()), 1e-6)
    shown = axes[2].imshow(mark_hw, cmap="RdBu_r", vmin=-most, vmax=most, extent=extent)
    figure.colorbar(shown, ax=axes[2], shrink=0.7, label="grey levels")
    for one, title in zip(
        axes, (f"{plain(example.image, 40)}", "median gradient", f"the mark, {contrast(mark):+.1f} levels"), strict=True
    ):
        _boxed(one, mark, title)
    figure.suptitle(
        f"{plain(result.view, 40)}: on {len(mark.images)} of {len(result.names)} images, "
        f"{mark.strength:.1f} sigma, confidence {mark.confidence:.5f}",
        fontsize=11,
    )  # fmt: skip
    return figure


def _boxed(axes: Axes, mark: Mark, title: str) -> None:
    x, y, width, height = mark.bbox_px
    axes.add_patch(Rectangle((x - 3.5, y - 3.5), width + 6, height + 6, fill=False, color=BRIGHT[1], linewidth=1))
    tidy(axes, title)
    axes.tick_params(colors=QUIET, labelsize=8)
