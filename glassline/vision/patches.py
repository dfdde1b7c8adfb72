"""From a table of images to a table of candidate patches, pixels in shards.

Candidates, crops and attributes come from the image alone. Masks and boxes only decide as which class a
patch is trained; what is judged at test time is the unit and its class from the importer.
Shapes: H x W pixels of an image or patch.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from glassline.data.images import read_mask
from glassline.data.reviews.decided import DecidedOn
from glassline.data.samples import SampleTable
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.candidate_patches import (
    DARK_FIELD_WINDOW,
    ExtractSettings,
    dark_field_extract,
    extract_candidates,
)
from glassline.vision.candidates import Candidate
from glassline.vision.objects import draw_objects
from glassline.vision.patch_store import Counts, Patch, crop_mask, in_order, kept_patches, patch_row
from glassline.vision.systematic import find_systematic, read_systematic, write_systematic
from glassline.vision.zone_images import grey_reader

__all__ = [
    "DARK_FIELD_WINDOW", "ExtractSettings", "Extraction", "dark_field_extract", "extract_patches",
]  # fmt: skip

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass
class Extraction(Counts):
    """Counts of one extraction: what was asked, found and missed."""

    images_without_candidate: list[str] = field(default_factory=list)
    defects: int = 0
    missed_defects: list[str] = field(default_factory=list)

    @property
    def defect_recall(self) -> float:
        """Share of annotated defects that a candidate hits; NaN where nothing is annotated."""
        return 1 - len(self.missed_defects) / self.defects if self.defects else float("nan")


def extract_patches(
    table: SampleTable, store: str | Path, settings: ExtractSettings, progress: Callable[[int, int], None]
) -> tuple[SampleTable, Extraction]:
    """Find candidates in every image and write their patches into shards.

    Args:
        table: Table of images.
        store: Folder or S3 URL under which the shards go, in a folder named by the content they come from.
        settings: How to extract.
        progress: Called with (images done, images in all).

    Returns:
        The table of patches, sorted as the images and then by strength, and the counts.

    Raises:
        DataError: An image or mask breaks a rule, or no image has a candidate.
    """
    counts = Extraction(images=len(table.rows))

    def make(folder: Path) -> Iterator[Patch]:
        systematic_HW = _systematic(table, settings, folder)
        for done, (image, found) in enumerate(_each_image(table, settings, systematic_HW), start=1):
            yield from found.patches
            if not found.patches:
                counts.images_without_candidate.append(image)
            counts.defects += found.defects
            counts.missed_defects += found.missed
            progress(done, len(table.rows))
        if len(counts.images_without_candidate) == len(table.rows):
            raise DataError(
                f"at least one image must have a candidate, got none in {len(table.rows)} images; lower "
                "extract.candidates.threshold"
            )

    return kept_patches(table, store, settings, settings.candidates.patch_px, counts, make)


@dataclass
class _Found:
    patches: list[Patch]
    defects: int
    missed: list[str]


def _each_image(
    table: SampleTable, settings: ExtractSettings, systematic_HW: Mask | None
) -> Iterator[tuple[str, _Found]]:
    """Yield (image id, what was found) in order."""
    records: list[Any] = table.rows.to_dict("records")
    read = grey_reader(table.root, settings.depth_window, settings.light_state)

    def one(image: dict[str, Any]) -> tuple[str, _Found]:
        return str(image["id"]), _extract_image(image, read(image["image"]), table, settings, systematic_HW)

    return in_order(one, records)


def _systematic(table: SampleTable, settings: ExtractSettings, folder: Path) -> Mask | None:
    """Find what repeats in place, and keep it beside the shards: the inspector needs it too."""
    if not settings.systematic:
        return None
    read = grey_reader(table.root, settings.depth_window, settings.light_state)
    systematic_HW = find_systematic(map(read, table.rows["image"]), settings.candidates)
    write_systematic(systematic_HW, folder)
    return read_systematic(folder)


def _extract_image(
    image: dict[str, Any], grey_HW: Grey, table: SampleTable, settings: ExtractSettings, systematic_HW: Mask | None
) -> _Found:
    """Extract one image: candidates first, from pixels alone; labels afterwards."""
    try:
        found = extract_candidates(grey_HW, settings, systematic_HW)
    except DataError as error:
        raise DataError(f"{image['image']}: {error}") from error
    labelled = _Labels(image, grey_HW.shape, table)
    entries, hit, decided_on = [], set(), DecidedOn(image)
    for number, (candidate, patch_HW, crop_px) in enumerate(found):
        label, overlap, objects = labelled.of(candidate, settings.min_overlap)
        hit |= objects
        box = candidate.x_px, candidate.y_px, candidate.width_px, candidate.height_px
        decided = decided_on.at(box)
        if decided and decided.decision == "rejected":
            continue
        label = (decided and decided.label) or label
        row = patch_row(image, number, patch_HW, crop_px, candidate.middle_px)
        per_patch = labelled.units_are_patches
        row |= {
            "label": label, "unit": row["id"] if per_patch else image["id"],
            "unit_label": label if per_patch else image["label"], "has_mask": labelled.has_mask, "overlap": overlap,
            **{f"attr_{name}": float(value) for name, value in candidate.attributes.items()},
        }  # fmt: skip
        if "reviews" in image:
            row["review"] = decided.decision if decided else ""
        entries.append(Patch(patch_HW, crop_mask(labelled.defect_HW, crop_px, patch_HW.shape[0]), row))
    missed = [f"{image['id']}[{index}]" for index in range(labelled.defects) if index not in hit]
    return _Found(entries, labelled.defects, missed)


class _Labels:
    """What an image's annotations say of a candidate."""

    def __init__(self, image: dict[str, Any], shape_HW: tuple[int, ...], table: SampleTable) -> None:
        self._image, self._clean = image, table.clean_class
        self._objects = json.loads(image["objects"]) if image["objects"] else []
        self.units_are_patches = bool(image["objects"])
        self.has_mask = bool(image["mask"]) or self.units_are_patches
        if self.units_are_patches:
            self._index_HW = draw_objects(self._objects, (shape_HW[0], shape_HW[1]))
            defects = [entry["label"] != table.clean_class for entry in self._objects]
            self.defect_HW: Mask = np.isin(self._index_HW, [i for i, bad in enumerate(defects, start=1) if bad])
            self.defects = len(self._objects)
        else:
            shape = (shape_HW[0], shape_HW[1])
            self.defect_HW = np.zeros(shape, np.bool_)
            if image["mask"]:
                with open_store(table.root).opened(image["mask"]) as path:
                    self.defect_HW = read_mask(path, shape)
            self.defects = int(self.defect_HW.any())

    def of(self, candidate: Candidate, min_overlap: float) -> tuple[str, float, set[int]]:
        """Return (class to train as, overlap with the annotation, indices of annotations hit)."""
        box = np.s_[
            candidate.y_px : candidate.y_px + candidate.height_px, candidate.x_px : candidate.x_px + candidate.width_px
        ]
        inside_HW = candidate.mask_HW
        if self.units_are_patches:
            hits = np.bincount(self._index_HW[box][inside_HW], minlength=len(self._objects) + 1)[1:]
            if not hits.any():
                return self._clean or self._image["label"], 0.0, set()
            best = int(hits.argmax())
            overlap = _overlap(int(hits[best]), inside_HW, self._index_HW == best + 1)
            if overlap < min_overlap:
                return self._clean or self._image["label"], overlap, set()
            return self._objects[best]["label"], overlap, {best}
        if not self.has_mask:
            return self._image["label"], float("nan"), set()
        overlap = _overlap(int(self.defect_HW[box][inside_HW].sum()), inside_HW, self.defect_HW)
        if overlap >= min_overlap or not self._clean:
            return self._image["label"], overlap, {0} if overlap else set()
        return self._clean, overlap, set()


def _overlap(shared_px: int, candidate_HW: Mask, annotation_HW: Mask) -> float:
    """Return the larger of the candidate's share in the annotation and the annotation's in the candidate.

    A crack's blob is thinner than its mask, a faint blot's is wider: either way they are the same mark.
    """
    smaller_px = min(int(candidate_HW.sum()), int(annotation_HW.sum()))
    return shared_px / smaller_px if smaller_px else 0.0
