"""Repeating marks: what is found, from how faint and on how many images; false alarms; text pages; simulated glasses.

    python benchmarks/root_cause.py contrast --data DATA/dagm2007_class1 --out runs/root-cause
    python benchmarks/root_cause.py share --data DATA/dagm2007_class1
    python benchmarks/root_cause.py clean --windows 1050
    python benchmarks/root_cause.py pages --out runs/root-cause
    python benchmarks/root_cause.py glasses

Every part takes minutes on two cores and prints one table. `contrast` also tries the published statistic, the median,
in the place of the clipped mean, under the same filters and the same way to a threshold. Seed 0.
"""

import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest

from glassline.analysis.root_cause import find_root_cause
from glassline.bench.measures.marks import (
    RATE,
    SCRATCHES,
    Rows,
    box_iou,
    draw_line,
    read_textures,
    scratched,
    searched,
)
from glassline.vision import window_strength as strengths
from glassline.vision.clipped_means import AROUND_PX, clipped_means
from glassline.vision.mark_images import mark_levels, with_images
from glassline.vision.median_gradients import gradients, median
from glassline.vision.repeating_marks import Mark, RootCauseSettings
from glassline.vision.window_strength import window_strength

app = typer.Typer(add_completion=False)
CONSOLE = Console(width=150)
SEED = 0
RATES = (0.1, 0.01, RATE)
LEVELS = (60, 30, 20, 15, 12, 10, 8, 6, 4, 0)
DATA = Annotated[Path, typer.Option(help="folder of dagm2007_class1")]
OUT = Annotated[Path, typer.Option(help="folder for curves and pictures")]


def _searched(images_KHW: np.ndarray) -> tuple[Rows, list[Mark]]:
    return searched(images_KHW, SEED)


def _medians(grey: Sequence[np.ndarray], signs_RK: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Return medians in the place of `clipped_means`; in replicas what is left of the median is turned."""
    gradients_K2HW = np.stack([np.stack(gradients(one_HW)) for one_HW in grey])[..., : size_px[0], : size_px[1]]
    middle_2HW = np.stack([median(gradients_K2HW[:, axis]) for axis in (0, 1)])
    left_K2HW = (2 * gradients_K2HW - np.rint(2 * middle_2HW)).astype(np.int16)
    maps = [middle_2HW]
    for signs_K in signs_RK[1:]:
        turned_K2HW = left_K2HW * np.sign(signs_K).astype(np.int16)[:, None, None, None]
        maps.append(np.stack([median(turned_K2HW[:, axis]) for axis in (0, 1)]) / 2)
    maps_R2HW = np.stack(maps).astype(np.float32)
    for map_HW in maps_R2HW.reshape(-1, *maps_R2HW.shape[2:]):
        map_HW -= cv2.blur(map_HW, (AROUND_PX, AROUND_PX), borderType=cv2.BORDER_REFLECT)
    return maps_R2HW


def _cases(textures: np.ndarray, window: int, levels: float, share: float, tries: int) -> list[list[float]]:
    """Return (found, IoU, share of images told rightly) of each try."""
    rng, told = np.random.default_rng(SEED), []
    for number in range(tries):
        scratch = SCRATCHES[number % len(SCRATCHES)]
        line_HW = draw_line(textures.shape[1:], scratch)
        chosen_KHW = textures[rng.choice(len(textures), window, replace=False)]
        shows_K = rng.permutation(window) < round(share * window)
        rows, marks = _searched(scratched(chosen_KHW, line_HW, levels, shows_K))
        truth = cv2.boundingRect((line_HW > 0.25).astype(np.uint8))
        best = max(marks, key=lambda mark: box_iou(mark.bbox_px, truth), default=None)
        iou = box_iou(best.bbox_px, truth) if best else 0.0
        right = 0.0
        if best:
            shown = set(with_images(rows, window, best).images)
            right = float(np.mean([(number in shown) == shows_K[number] for number in range(window)]))
        told.append([iou > 0, iou, right, sum(box_iou(mark.bbox_px, truth) == 0 for mark in marks)])
    return told


def _row(told: list[list[float]]) -> list[str]:
    found = [one for one in told if one[0]]
    means = [np.mean([one[index] for one in found]) if found else math.nan for index in (1, 2)]
    tight = sum(one[1] >= 0.5 for one in told)
    return [f"{len(found)}/{len(told)}", f"{means[0]:.2f}", f"{tight}/{len(told)}", f"{means[1]:.3f}",
            f"{sum(one[3] for one in told):.0f}"]  # fmt: skip


_COLUMNS = ("found", "mean IoU", "IoU >= .5", "images told rightly", "elsewhere")


@app.command()
def contrast(data: DATA, out: OUT, tries: Annotated[int, typer.Option(help="windows per point")] = 6) -> None:
    """Draw what is found over contrast, for windows of 30, 60 and 100 images, all of which show the scratch."""
    textures = read_textures(data)
    noise = float(np.diff(textures.astype(np.float32), axis=2).std())
    table = Table("statistic", "window", "levels", "levels / noise", *_COLUMNS, title="scratch on all images")
    curves = {}
    for name, statistic in (("clipped mean", clipped_means), ("median", _medians)):
        strengths.clipped_means = statistic
        for window in (30, 60, 100) if name == "clipped mean" else (30,):
            for levels in LEVELS if name == "clipped mean" else (20, 12):
                told = _cases(textures, window, levels, 1.0, tries)
                curves.setdefault((name, window), []).append((levels, np.mean([one[1] >= 0.5 for one in told])))
                table.add_row(name, str(window), str(levels), f"{levels / noise:.2f}", *_row(told))
                print(f"{name} {window} {levels}", _row(told), file=sys.stderr, flush=True)
    strengths.clipped_means = clipped_means
    CONSOLE.print(table)
    _draw(curves, out / "contrast.png")


def _draw(curves: dict, path: Path) -> None:
    from glassline.report.style import new_figure, tidy

    path.parent.mkdir(parents=True, exist_ok=True)
    figure = new_figure(6.4, 4)
    axes = figure.subplots()
    for (name, window), points in curves.items():
        axes.plot(
            *zip(*points, strict=True), marker="o", ls="-" if name != "median" else "--", label=f"{name}, {window}"
        )
    tidy(axes, "found with IoU >= .5", "contrast of the scratch, grey levels", "share of windows", grid="y")
    axes.legend()
    figure.savefig(path, dpi=120)


@app.command()
def share(data: DATA, tries: Annotated[int, typer.Option(help="windows per point")] = 6) -> None:
    """Tell what is found of a scratch that is on a part of the images only, and whether these are told."""
    textures = read_textures(data)
    table = Table("window", "levels", "share", *_COLUMNS, title="scratch on a part of the images")
    for levels in (60, 30):
        for part in (1.0, 0.8, 0.6, 0.5, 0.4, 0.3):
            told = _cases(textures, 30, levels, part, tries)
            table.add_row("30", str(levels), f"{part:.0%}", *_row(told))
    CONSOLE.print(table)


def _eight_bit(image_HW: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(image_HW), 0, 255).astype(np.uint8)


def _blobs(rng: np.random.Generator, size: int) -> np.ndarray:
    image_HW = np.full((size, size), 20, np.float32)
    for _ in range(rng.poisson(8)):
        x, y = rng.integers(0, size, 2).tolist()
        cv2.circle(image_HW, (x, y), int(rng.integers(2, 10)), float(rng.uniform(40, 250)), -1)
    return image_HW + rng.normal(0, 2, (size, size))


def _lines(rng: np.random.Generator, size: int) -> np.ndarray:
    image_HW = np.full((size, size), 20, np.float32)
    for _ in range(rng.poisson(5)):
        x, y, to_x, to_y = rng.integers(0, size, 4).tolist()
        cv2.line(image_HW, (x, y), (to_x, to_y), float(rng.uniform(40, 250)), int(rng.integers(1, 4)))
    return image_HW + rng.normal(0, 2, (size, size))


def _weave(rng: np.random.Generator, size: int) -> np.ndarray:
    y_HW, x_HW = np.mgrid[:size, :size]
    first, second = rng.uniform(0, 2 * np.pi, 2)
    return 100 + 30 * np.sin(0.8 * x_HW + first) + 30 * np.sin(0.5 * y_HW + second) + rng.normal(0, 5, (size, size))


def _smooth(rng: np.random.Generator, size: int) -> np.ndarray:
    return 100 + 300 * cv2.GaussianBlur(rng.normal(0, 1, (size, size)), (0, 0), 5) + rng.normal(0, 1, (size, size))


KINDS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "white noise": lambda rng, size: rng.normal(100, 10, (size, size)),
    "dark, of few levels": lambda rng, size: rng.normal(1, 0.6, (size, size)),
    "heavy tails": lambda rng, size: 100 + 4 * rng.standard_t(1.5, (size, size)),
    "smooth texture": _smooth,
    "random spots": _blobs,
    "random lines": _lines,
    "weave": _weave,
}


@app.command()
def clean(
    windows: Annotated[int, typer.Option(help="windows of 30 images, over all kinds")] = 1050,
    size_px: Annotated[int, typer.Option(help="edge of an image")] = 128,
    one_view: Annotated[bool, typer.Option("--one-view", help="windows of a kind are of one view, in a row")] = False,
) -> None:
    """Count false alarms over windows of independent images of several kinds."""
    table = Table("kind", "windows", *(f"p < {rate}" for rate in RATES), title="clean windows")
    counts = np.zeros(1 + len(RATES), int)
    for kind, draw in KINDS.items():
        rng, likely, found = np.random.default_rng(SEED), [], None
        for number in range(windows // len(KINDS)):
            rows = Rows(np.stack([_eight_bit(draw(rng, size_px)) for _ in range(30)]))
            found = window_strength(rows, range(30), number, clean_N=found.clean_N if one_view and found else None)
            likely.append(found.tail.probability(float(found.strength_HW.max()), found.squares))
        row = np.array([len(likely), *(int((np.array(likely) < rate).sum()) for rate in RATES)])
        counts += row
        table.add_row(kind, *map(str, row))
        print(kind, row, file=sys.stderr, flush=True)
    total = int(counts[0])
    table.add_row("all", *map(str, counts))
    table.add_row("expected at most", "", *(f"{rate * total:.1f}" for rate in RATES))
    table.add_row("95 % of the true rate", "", *(_interval(int(count), total) for count in counts[1:]))
    CONSOLE.print(table)


def _interval(count: int, total: int) -> str:
    interval = binomtest(count, total).proportion_ci()
    return f"{interval.low:.4f} to {interval.high:.4f}"


_WORDS = ("defect", "line", "glass", "press", "ink", "roller", "page", "of", "and", "the", "paper", "shift", "tool")
INK = ((90, 120, 5), (300, 200, 4), (180, 420, 6), (360, 500, 5))


def _page(rng: np.random.Generator, aligned: bool) -> np.ndarray:
    page_HW = np.full((600, 440), 245, np.uint8)
    first = 40 if aligned else 40 + int(rng.integers(0, 22))  # texts have their lines where they have them
    for y in range(first, 580, 22):
        text = " ".join(rng.choice(_WORDS, 9))
        cv2.putText(
            page_HW,
            text,
            (20 + (0 if aligned else int(rng.integers(0, 12))), y),
            cv2.FONT_HERSHEY_SIMPLEX,
            0.45,
            30,
            1,
            cv2.LINE_AA,
        )
    return page_HW


def _watermark() -> np.ndarray:
    mark_HW = np.zeros((600, 440), np.uint8)
    cv2.putText(mark_HW, "SAMPLE", (60, 330), cv2.FONT_HERSHEY_DUPLEX, 2.4, 255, 6, cv2.LINE_AA)
    return mark_HW / 255


def _psnr(first: np.ndarray, second: np.ndarray) -> float:
    return 10 * math.log10(255**2 / max(float(np.mean((first.astype(float) - second) ** 2)), 1e-9))


@app.command()
def pages(
    out: OUT,
    count: Annotated[int, typer.Option(help="pages")] = 100,
    aligned: Annotated[bool, typer.Option("--aligned", help="lines start at the same places on every page")] = False,
) -> None:
    """Find four ink defects on text pages, and take a watermark off others."""
    rng = np.random.default_rng(SEED)
    plain_KHW = np.stack([_page(rng, aligned) for _ in range(count)])
    inked_KHW = plain_KHW.copy()
    for page_HW in inked_KHW:
        for x, y, radius in INK:
            cv2.circle(page_HW, (x, y), radius, 60, -1)
    _, marks = _searched(inked_KHW)
    table = Table("ink defect", "found box", "IoU", title=f"{count} text pages, {len(marks)} findings")
    for x, y, radius in INK:
        truth = (x - radius, y - radius, 2 * radius + 1, 2 * radius + 1)
        best = max(marks, key=lambda mark: box_iou(mark.bbox_px, truth), default=None)
        table.add_row(str(truth), str(best and best.bbox_px), f"{box_iou(best.bbox_px, truth) if best else 0:.2f}")
    CONSOLE.print(table)
    _, none = _searched(plain_KHW)
    print(f"unmarked pages: {len(none)} findings", [(one.bbox_px, one.strength) for one in none])
    # Lighter than the ink of the text, darker than the paper: added, so that it can be taken off again.
    marked_KHW = np.clip(np.rint(plain_KHW - 25 * _watermark()), 0, 255).astype(np.uint8)
    rows, marks = _searched(marked_KHW)
    removed_KHW = marked_KHW.astype(np.float32)
    for mark in marks:
        x, y, width, height = mark.bbox_px
        levels_hw, _ = mark_levels(rows, with_images(rows, count, mark))
        removed_KHW[:, y : y + height, x : x + width] -= np.where(mark.mask_hw, levels_hw, 0)
    removed_KHW = np.clip(np.rint(removed_KHW), 0, 255)
    before, after = (np.mean([_psnr(a, b) for a, b in zip(one, plain_KHW, strict=True)]) for one in
                     (marked_KHW, removed_KHW))  # fmt: skip
    print(f"watermark: {len(marks)} findings, PSNR {before:.1f} dB before, {after:.1f} dB after")
    out.mkdir(parents=True, exist_ok=True)
    shown = np.hstack([inked_KHW[0], marked_KHW[0], removed_KHW[0].astype(np.uint8), plain_KHW[0]])
    cv2.imwrite(str(out / "pages.png"), shown)


@app.command()
def glasses(count: Annotated[int, typer.Option(help="glasses of the shift")] = 75) -> None:
    """Find a tool's scratch on simulated line-scan glasses, from the glass on which it begins."""
    from hardware_ingest.line_scan import tool_mark

    table = Table("contrast", "found box", "IoU", "since", "images", "findings", title=f"{count} simulated glasses")
    (left, top), (right, bottom) = tool_mark.ENDS_PX
    truth = (left - 1, top - 1, right - left + 3, bottom - top + 3)
    for level in (0.15, 0.08, 0.04, 0.02, 0.0):
        tool_mark.scratched.__defaults__ = (level,)
        with tempfile.TemporaryDirectory() as folder:
            (result,) = find_root_cause(
                tool_mark.simulate_tool_mark(count, SEED, Path(folder) / "shift"), RootCauseSettings()
            )
        best = max(result.marks, key=lambda mark: box_iou(mark.bbox_px, truth), default=None)
        told = (str(best.bbox_px), f"{box_iou(best.bbox_px, truth):.2f}", result.names[best.images[0]],
                str(len(best.images))) if best else ("", "", "", "")  # fmt: skip
        table.add_row(f"{level:.2f}", *told, str(len(result.marks)))
    table.caption = f"truth: {truth}, since glass-{int(tool_mark.GOOD * count):04d}.png"
    CONSOLE.print(table)


if __name__ == "__main__":
    app()
