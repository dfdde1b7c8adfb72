"""Marks that repeat: a scratch drawn on textures, and glasses that a damaged tool scratches.

Source: system D of the reading, section 4.2, Fig. 6 and 7.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from glassline.analysis.root_cause import ViewResult, find_root_cause
from glassline.bench.measured import Bench, Measured
from glassline.bench.record import Block
from glassline.data.store.fetched import fetched
from glassline.errors import DataError
from glassline.vision.repeating_marks import Mark, RootCauseSettings, find_marks
from glassline.vision.window_strength import window_strength

#: Ends of the scratch and its width, px.
SCRATCHES = (((150, 200), (230, 260), 2), ((300, 100), (300, 190), 2), ((40, 400), (140, 420), 1))
#: Chance of a finding in a clean window.
RATE = 0.001
_WINDOW, _LEVELS = 30, 20
#: Share of a simulated shift that comes before the tool is damaged.
_GOOD = 0.4

Images = npt.NDArray[np.uint8]
Line = npt.NDArray[np.float64]


class Rows:
    """Images (K, H, W) in memory, read as a view is."""

    def __init__(self, images_KHW: Images) -> None:
        """Hold them."""
        self.images_KHW, self.highest = images_KHW, int(images_KHW.max())
        self.size_px: tuple[int, int] = (images_KHW.shape[1], images_KHW.shape[2])

    def rows(self, number: int, top: int, bottom: int) -> Images:
        """Return rows of an image."""
        return self.images_KHW[number, top:bottom]


def read_textures(folder: Path) -> Images:
    """Return the images of class 1 of DAGM 2007 (K, H, W).

    Raises:
        DataError: There are fewer than a window.
    """
    paths = sorted(folder.glob("*.PNG"))
    if len(paths) < _WINDOW:
        raise DataError(f"{folder} must hold {_WINDOW} PNG files or more, got {len(paths)}; see docs/results.md")
    return np.stack([np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8) for path in paths])


def draw_line(size_px: tuple[int, int], scratch: Sequence[object]) -> Line:
    """Return a scratch as shares of its contrast (H, W)."""
    first, last, width = scratch
    line_HW = np.zeros(size_px, np.uint8)
    cv2.line(line_HW, first, last, 255, width, cv2.LINE_AA)  # type: ignore[call-overload]
    return np.asarray(line_HW / 255, np.float64)


def scratched(images_KHW: Images, line_HW: Line, levels: float, shows_K: npt.NDArray[np.bool_]) -> Images:
    """Return images with the scratch, brighter by so many levels, on those that show it."""
    added_KHW = images_KHW + levels * line_HW * shows_K[:, None, None]
    return np.clip(np.rint(added_KHW), 0, 255).astype(np.uint8)


def box_iou(first: Sequence[int], second: Sequence[int]) -> float:
    """Return the intersection over union of two boxes (x, y, width, height)."""
    width, height = (
        max(min(first[axis] + first[axis + 2], second[axis] + second[axis + 2]) - max(first[axis], second[axis]), 0)
        for axis in (0, 1)
    )
    shared = width * height
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


def searched(images_KHW: Images, seed: int) -> tuple[Rows, list[Mark]]:
    """Return the marks of a window of images."""
    rows, numbers = Rows(images_KHW), range(len(images_KHW))
    return rows, find_marks(rows, numbers, window_strength(rows, numbers, seed), RATE)


def scratch_on_textures(bench: Bench) -> Measured:
    """Look for a scratch of 20 levels on windows of 30 textures, and for one where there is none."""
    with fetched(bench.data) as folder:
        textures = read_textures(folder)
    generator, found, wrong, ious = np.random.default_rng(bench.seed), 0, 0, []
    tries = bench.sized(1, 3, 6)
    for number in range(tries):
        line_HW = draw_line((textures.shape[1], textures.shape[2]), SCRATCHES[number % len(SCRATCHES)])
        chosen_KHW = textures[generator.choice(len(textures), _WINDOW, replace=False)]
        _, marks = searched(scratched(chosen_KHW, line_HW, _LEVELS, np.ones(_WINDOW, np.bool_)), bench.seed)
        truth = cv2.boundingRect((line_HW > 0.25).astype(np.uint8))
        best = max((box_iou(mark.bbox_px, truth) for mark in marks), default=0.0)
        found += best >= 0.5
        ious.append(best)
        wrong += bool(searched(chosen_KHW, bench.seed)[1])
    values = {"found": found / tries, "found without a scratch": wrong / tries, "IoU": float(np.mean(ious))}
    return Measured({**values, "windows": tries})


def tool_mark(bench: Bench) -> Measured:
    """Look for the tool's scratch on the last glasses of a shift, and on those before the damage."""
    with fetched(bench.data) as folder, tempfile.TemporaryDirectory(prefix="glassline-") as beside:
        names = sorted(path.name for path in folder.glob("*.png"))
        good, window = int(_GOOD * len(names)), bench.sized(12, 30, 30)
        parts = {"found without a scratch": names[:good], "found": names[good:]}
        results: dict[str, list[ViewResult]] = {}
        for name, part in parts.items():
            place = Path(beside) / name.replace(" ", "-")
            place.mkdir()
            for one in part:
                shutil.copy(folder / one, place / one)
            results[name] = find_root_cause(place, RootCauseSettings(window=window))
    marks = {name: [mark for result in found for mark in result.marks] for name, found in results.items()}
    told = "; ".join(f"x, y, width, height {mark.bbox_px} px" for mark in marks["found"]) or "nothing"
    values = {name: float(bool(found)) for name, found in marks.items()}
    return Measured({**values, "marks": len(marks["found"]), "images": len(names)}, [Block(text=f"Found: {told}.")])
