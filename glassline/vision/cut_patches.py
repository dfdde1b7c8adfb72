"""From a table of images to a table of patches: windows over each image, labelled by the defects that they hold.

Source: system D of the reading, sections 3.2 and 3.3: a classifier of patches, trained for two classes or more.
Shapes: H x W pixels of an image or patch.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from glassline.data.samples import SampleTable
from glassline.errors import DataError
from glassline.models.settings import PATCH_PX
from glassline.vision.annotated_images import AnnotatedImages, tells_places
from glassline.vision.cut_settings import CutSettings
from glassline.vision.patch_store import Counts, Patch, crop_mask, in_order, kept_patches, patch_row
from glassline.vision.patches import ExtractSettings, extract_patches
from glassline.vision.type_windows import CLEAN
from glassline.vision.windows import LabelledWindow, as_patch, label_windows, window_part

__all__ = ["CutSettings", "Cutting", "cut_patches", "extraction"]

_PLACELESS, _EMPTY, _NONE = "nobody says where its defect is", "its annotation holds no pixel", "it has no candidate"


@dataclass
class Cutting(Counts):
    """What was cut, and what was not.

    Attributes:
        by_candidates: Whether candidates were cut instead of windows.
        left_out: Reason by image that gives no patch.
        defects: Annotated defects of the images that are cut.
        missed_defects: Those without a pixel of their own, as `image[number]`.
    """

    by_candidates: bool = False
    left_out: dict[str, str] = field(default_factory=dict)
    defects: int = 0
    missed_defects: list[str] = field(default_factory=list)


def cut_patches(
    table: SampleTable, store: str | Path, settings: CutSettings, progress: Callable[[int, int], None]
) -> tuple[SampleTable, Cutting]:
    """Cut every image into windows, label them, and write them into shards.

    Where no image says where its defect is, candidates are extracted instead.

    Args:
        table: Table of images; without a clean class it gets one, `clean`.
        store: Folder or S3 URL under which the shards go, in a folder named by the content they come from.
        settings: How to cut.
        progress: Called with (images done, images in all).

    Returns:
        The table of patches, sorted as the images, windows from top to bottom, and the counts.

    Raises:
        DataError: An image or mask cannot be read; names it. No image gives a patch.
    """
    named = with_clean(table)
    if not tells_places(named):
        return _extracted(table, store, settings, progress)
    counts = Cutting(images=len(table.rows))

    def make(folder: Path) -> Iterator[Patch]:
        images = AnnotatedImages(named, False, settings.depth_window, settings.light_state)
        rows: list[Any] = table.rows.to_dict("records")
        cutter = _Cutter(images, named, rows, settings)
        for number, cut in enumerate(in_order(cutter.image, range(len(images)))):
            identity = str(cutter.rows[number]["id"])
            yield from cut.patches
            if cut.left_out:
                counts.left_out[identity] = cut.left_out
            counts.defects += cut.defects
            counts.missed_defects += [f"{identity}[{missed}]" for missed in sorted(cut.missed)]
            progress(number + 1, len(images))
        if len(counts.left_out) == len(images):
            image, reason = next(iter(counts.left_out.items()))
            raise DataError(
                f"at least one image must give a patch, got none of {len(images)} images, {image}: {reason}; mend the "
                "annotation"
            )

    return kept_patches(named, store, settings, PATCH_PX, counts, make)


def with_clean(table: SampleTable) -> SampleTable:
    """Return a table of images that has a clean class: its own, or else `clean`."""
    clean = table.clean_class or CLEAN
    classes = table.classes if clean in table.classes else (*table.classes, clean)
    return replace(table, classes=classes, clean_class=clean)


def extraction(settings: CutSettings) -> ExtractSettings:
    """Return how candidates are cut: images are read as for windows unless the extraction says otherwise."""
    told = settings.extract.model_fields_set
    read = {name: getattr(settings, name) for name in ("depth_window", "light_state") if name not in told}
    return settings.extract.model_copy(update=read)


def _extracted(
    table: SampleTable, store: str | Path, settings: CutSettings, progress: Callable[[int, int], None]
) -> tuple[SampleTable, Cutting]:
    patches, found = extract_patches(table, store, extraction(settings), progress)
    left_out = dict.fromkeys(found.images_without_candidate, _NONE)
    return patches, Cutting(found.images, found.patches, True, left_out, found.defects, found.missed_defects)


@dataclass
class _Cut:
    patches: list[Patch] = field(default_factory=list)
    left_out: str = ""
    defects: int = 0
    missed: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class _Cutter:
    """Images and how they are cut; called from several threads."""

    images: AnnotatedImages
    table: SampleTable
    rows: list[dict[str, Any]]
    settings: CutSettings

    def image(self, number: int) -> _Cut:
        """Return the patches of an image."""
        if self.images.placeless(number):
            return _Cut(left_out=_PLACELESS)
        annotated = self.images.annotated(number)
        if self.images.has_any(number) and not annotated.mask_HW.any():
            return _Cut(left_out=_EMPTY)
        row, of = self.rows[number], self.settings
        windows, missed = label_windows(annotated, of.window_px, of.step_px, of.least_overlap)
        grey_HW, mask_HW = self.images.pixels(number), annotated.mask_HW
        size_px, patches = self.images.sizes_px[number], []
        for at, window in enumerate(_fewer(windows, row, of.clean_per_image)):
            x, y = window.corner_px
            part, crop_px = window_part((x, y), of.window_px, size_px), (x, y, of.window_px)
            patch_HW = as_patch(grey_HW[part.pixels], of.window_px)
            told = patch_row(row, at, patch_HW, crop_px, (x + part.width_px / 2, y + part.height_px / 2))
            told |= {
                "label": window.label or self.table.clean_class, "unit": row["id"], "unit_label": row["label"],
                "has_mask": True, "overlap": window.share,
            }  # fmt: skip
            patches.append(Patch(patch_HW, crop_mask(mask_HW, crop_px, PATCH_PX), told))
        return _Cut(patches, "", len(annotated.labels), missed)


def _fewer(windows: list[LabelledWindow], row: dict[str, Any], clean: int) -> list[LabelledWindow]:
    """Return windows with a defect and some without; which ones follows from the image's content alone."""
    without = [place for place, window in enumerate(windows) if window.label is None]
    seed = hashlib.sha256(str(row["sha256"]).encode()).digest()[:8]
    drawn = np.random.default_rng(int.from_bytes(seed)).permutation(without)[:clean]
    kept = set(drawn.tolist())
    return [window for place, window in enumerate(windows) if window.label is not None or place in kept]
