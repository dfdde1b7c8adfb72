"""What types of defects are learned from: annotated defects, false positives of the detector, random clean places.

Source: He and Liu 2020 (system E of the reading), section III.C.2. The paper takes false positives alone for the clean
class; a good detector has few, so random clean places fill it up.
Shapes: H x W pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.type_patches import TypeCrop, type_crop
from glassline.vision.type_windows import Box, Mask, cut_window, window_corner, window_edge

#: Number of an image and the box of a defect that was found on it but is none.
FalsePositive = tuple[int, Box]

#: Crops of the clean class that a fit has at least, even of few defects.
LEAST_CLEAN = 256
# Draws of a clean place before an image counts as one that has none.
_TRIES = 20


@dataclass(frozen=True)
class TypeSources:
    """Crops by what they show.

    Attributes:
        by_type: Those of each type, in the order of the table's types; a type may have none.
        false_positives: Those of the detector's false positives.
        random_clean: Those of places without a defect.
    """

    by_type: tuple[tuple[TypeCrop, ...], ...]
    false_positives: tuple[TypeCrop, ...]
    random_clean: tuple[TypeCrop, ...]


def gather_sources(
    images: AnnotatedImages, chosen: Sequence[int], false_positives: Sequence[FalsePositive], window_px: int, seed: int,
    least_clean: int = LEAST_CLEAN,
) -> TypeSources:  # fmt: skip
    """Cut all crops of some images; each image is read twice at most.

    Where false positives are fewer than the defects of all types together, or than `least_clean`, random clean places
    make up for it.

    Args:
        images: The table's images.
        chosen: Numbers of the images to look at.
        false_positives: Of any images; those of others are passed over.
        window_px: Edge of what the classifier reads.
        seed: Seed of the random clean places.
        least_clean: Crops of the clean class at least, where images have clean places.
    """
    by_type: dict[str, list[TypeCrop]] = {name: [] for name in images.types}
    wrong: list[TypeCrop] = []
    sizes_px: list[tuple[int, int]] = []
    boxes_of: dict[int, list[Box]] = {}
    for number, box in false_positives:
        boxes_of.setdefault(number, []).append(box)
    for number in chosen:
        boxes = boxes_of.get(number, [])
        if not boxes and not images.has_any(number):
            continue
        image, annotated = images.pixels(number), images.annotated(number)
        wrong += [type_crop(image, box, None, window_px) for box in boxes]
        for index, place in enumerate(ndimage.find_objects(annotated.index_HW), 1):
            if place is None:  # an object without a pixel, or hidden under others
                continue
            (top, bottom), (left, right) = ((part.start, part.stop) for part in place)
            box = left, top, right - left, bottom - top
            sizes_px.append(box[2:])
            crop = type_crop(image, box, annotated.index_HW[place] == index, window_px)
            by_type[annotated.labels[index - 1]].append(crop)
    wanted = max(len(sizes_px), least_clean) - len(wrong)
    random_clean = _random_clean(images, chosen, sizes_px, wanted, window_px, np.random.default_rng(seed))
    return TypeSources(tuple(map(tuple, by_type.values())), tuple(wrong), tuple(random_clean))


def _random_clean(
    images: AnnotatedImages, chosen: Sequence[int], sizes_px: Sequence[tuple[int, int]], wanted: int, window_px: int,
    rng: np.random.Generator,
) -> list[TypeCrop]:  # fmt: skip
    """Return crops of clean boxes that are as large as defects are: scale alone must not tell a defect.

    Images that have no clean place give none, so there may be fewer than wanted.
    """
    found = []
    drawn = np.sort(rng.choice(list(chosen), max(wanted, 0))) if len(chosen) else np.zeros(0, np.int64)
    for number, count in zip(*np.unique(drawn, return_counts=True), strict=True):
        image, mask_HW = images.pixels(int(number)), images.annotated(int(number)).mask_HW
        boxes = [_clean_box(mask_HW, sizes_px, window_px, rng) for _ in range(count)]
        found += [type_crop(image, box, None, window_px) for box in boxes if box]
    return found


def _clean_box(
    mask_HW: Mask, sizes_px: Sequence[tuple[int, int]], window_px: int, rng: np.random.Generator
) -> Box | None:
    """Return a box whose windows, shifted by a quarter, see no defect; a small one where no large one is found."""
    height, width = mask_HW.shape
    for attempt in range(2 * _TRIES):
        size_px = sizes_px[int(rng.integers(len(sizes_px)))] if attempt < _TRIES and sizes_px else (1, 1)
        across, down = min(size_px[0], width), min(size_px[1], height)
        box = int(rng.integers(width - across + 1)), int(rng.integers(height - down + 1)), across, down
        edge_px = window_edge(box, window_px)
        (x, y), spare_px = window_corner(box, edge_px), edge_px // 4
        seen_px = edge_px + 2 * spare_px
        seen_HW = cut_window(mask_HW.view(np.uint8), (x - spare_px, y - spare_px), seen_px, seen_px)
        if not seen_HW.any():
            return box
    return None
