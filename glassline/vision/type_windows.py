"""Windows of a defect, and its type by the vote over them.

Source: He and Liu 2020 (system E of the reading), sections III.A.4 and III.C.2: a window that cannot hold the defect is
doubled and scaled down again; the most frequent class wins. Left open by the paper, our reading: a window that holds
the defect lies centred on it, and slides by a quarter of its edge to each of four sides as long as a significant area,
half of the defect's, stays in it. Those five vote.
Shapes: H x W pixels of the image, h x w of a defect's box, P x P of a window, N windows, C classes.
"""

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.defects import Defect, defect_mask

Image = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Real = npt.NDArray[np.floating]
Box = tuple[int, int, int, int]
#: Return probabilities (N, C) of windows (N, P, P), or (N, P, P, 3) in colour, of 8 bit.
RunTypes = Callable[[Image], Real]

#: Class of what is no defect, the last of every classifier of types.
CLEAN = "clean"
#: Share of a defect's area that a window must hold to tell of it.
SIGNIFICANT = 0.5
# Steps (down, across) of a quarter of the window's edge.
_STEPS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
_AT_ONCE = 64


def window_edge(bbox_px: Box, window_px: int) -> int:
    """Return the edge of the windows of a defect: `window_px`, doubled until its box fits.

    A window as large as the image holds any box, so no more doublings are needed than that.
    """
    edge_px = window_px
    while max(bbox_px[2:]) > edge_px:
        edge_px *= 2
    return edge_px


def window_corner(bbox_px: Box, edge_px: int) -> tuple[int, int]:
    """Return x and y of the first pixel of the window that lies centred on a box; may be negative."""
    x, y, width, height = bbox_px
    return x + (width - edge_px) // 2, y + (height - edge_px) // 2


def type_windows(image: Image, bbox_px: Box, mask_hw: Mask, window_px: int) -> list[Image]:
    """Return the windows of a defect that vote, the centred one first.

    Args:
        image: Grey (H, W) or colour (H, W, 3), 8 bit, of any size; mirrored beyond its rim.
        bbox_px: x, y, width, height of the defect.
        mask_hw: Its pixels within the box.
        window_px: Edge of what the classifier reads.

    Returns:
        One to five windows (P, P) or (P, P, 3).
    """
    edge_px = window_edge(bbox_px, window_px)
    left, top = window_corner(bbox_px, edge_px)
    windows = []
    for down, across in _STEPS:
        x, y = left + across * edge_px // 4, top + down * edge_px // 4
        first_row, first_column = max(y - bbox_px[1], 0), max(x - bbox_px[0], 0)
        held_hw = mask_hw[first_row : max(y - bbox_px[1] + edge_px, 0), first_column : max(x - bbox_px[0] + edge_px, 0)]
        if held_hw.sum() >= SIGNIFICANT * mask_hw.sum():
            windows.append(cut_window(image, (x, y), edge_px, window_px))
    return windows


def cut_window(image: Image, corner_xy: tuple[int, int], edge_px: int, window_px: int) -> Image:
    """Return a square of an image scaled down to `window_px`; mirrored beyond the rim as often as it takes."""
    columns, rows = (_mirrored(start, edge_px, size) for start, size in zip(corner_xy, image.shape[1::-1], strict=True))
    cut = image[rows[:, None], columns]
    if edge_px == window_px:
        return cut
    return np.asarray(cv2.resize(cut, (window_px, window_px), interpolation=cv2.INTER_AREA), np.uint8)


def _mirrored(start: int, count: int, size: int) -> npt.NDArray[np.int64]:
    """Return places 0 to size - 1 of a line that is mirrored at its first and last pixel."""
    period = max(2 * size - 2, 1)
    place_N = np.arange(start, start + count) % period
    return np.minimum(place_N, period - place_N)


def vote_types(
    image: Image, defects: Sequence[Defect], cell_px: int, run: RunTypes, classes: Sequence[str], window_px: int
) -> list[tuple[str, float]]:
    """Return the type of each defect and its mean probability over the defect's windows.

    The most frequent class wins; of several, the one with the higher mean probability. The last class is the clean one:
    a defect of it is a false positive, which the caller drops.

    Args:
        image: Grey (H, W) or colour (H, W, 3), 8 bit.
        defects: Its defects.
        cell_px: Edge of a cell of their masks.
        run: Classifier.
        classes: Names of what it tells apart.
        window_px: Edge of what it reads.
    """
    size_px = image.shape[0], image.shape[1]
    counts: list[int] = []

    def windows() -> Iterable[Image]:
        for defect in defects:
            found = type_windows(image, defect.bbox_px, defect_mask(defect, cell_px, size_px), window_px)
            counts.append(len(found))
            yield from found

    probabilities = _run_all(windows(), run)
    if not probabilities:
        return []
    ends = np.cumsum(counts)[:-1]
    votes = (_vote(probability_NC) for probability_NC in np.split(np.concatenate(probabilities), ends))
    return [(classes[winner], mean) for winner, mean in votes]


def _run_all(windows: Iterable[Image], run: RunTypes) -> list[Real]:
    """Return probabilities batch by batch: an image full of defects needs no more memory than one batch."""
    told, waiting = [], []
    for window in windows:
        waiting.append(window)
        if len(waiting) == _AT_ONCE:
            told.append(run(np.stack(waiting)))
            waiting = []
    return [*told, run(np.stack(waiting))] if waiting else told


def _vote(probability_NC: Real) -> tuple[int, float]:
    """Return the class that wins and its mean probability."""
    mean_C = probability_NC.mean(axis=0)
    votes_C = np.bincount(probability_NC.argmax(axis=1), minlength=len(mean_C))
    winner = max(range(len(mean_C)), key=lambda index: (votes_C[index], mean_C[index]))
    return winner, float(mean_C[winner])
