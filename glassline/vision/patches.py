"""From a table of images to a table of candidate patches, pixels in shards.

Candidates, crops and attributes come from the image alone. Masks and boxes only decide as which class a
patch is trained; what is judged at test time is the unit and its class from the importer.
Shapes: H x W pixels of an image or patch.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from glassline.data.images import DepthWindow, read_mask
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardWriter
from glassline.data.storage import code_hash, sha256_file, written_whole
from glassline.errors import DataError
from glassline.settings import Settings
from glassline.vision.candidates import (
    Candidate,
    CandidateSettings,
    crop_candidate,
    dark_field_candidates,
    find_candidates,
)
from glassline.vision.normalise import normalise
from glassline.vision.objects import draw_objects
from glassline.vision.systematic import find_systematic, read_systematic, write_systematic
from glassline.vision.zone_images import grey_reader

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

#: Grey levels of 12 that become 0 and 255; in a wider window faint marks fade (simulated glasses of seed 100).
DARK_FIELD_WINDOW = (0, 1500)

_IMAGES_AT_ONCE = 32
_TABLE, _COUNTS = "samples.parquet", "counts.json"


class ExtractSettings(Settings):
    """How patches are made of images."""

    candidates: CandidateSettings = Field(CandidateSettings(), description="how candidates are found and cropped")
    depth_window: DepthWindow | None = Field(
        None, description="grey levels [low, high] of a 12- or 16-bit image that become 0 and 255"
    )
    light_state: int | None = Field(
        None, ge=0, description="light state of captures to look at; none: the maximum over all of them"
    )
    normalise_px: float = Field(
        24.0,
        ge=0,
        description="Gaussian sigma of the flat field taken out of patches, px; 0 leaves grey levels as they are",
    )
    systematic: bool = Field(
        False, description="find what repeats in place over the images (reflections, hot pixels) and ignore it"
    )
    min_overlap: float = Field(
        0.3, gt=0, le=1, description="overlap with an annotated defect from which a candidate is trained as that defect"
    )


def dark_field_extract() -> ExtractSettings:
    """Return the preset of the dark-field rig: the brightest light state, 12 bit by a window that keeps faint marks."""
    return ExtractSettings(candidates=dark_field_candidates(), depth_window=DARK_FIELD_WINDOW)


@dataclass
class Extraction:
    """Counts of one extraction: what was asked, found and missed."""

    images: int = 0
    patches: int = 0
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
        store: Folder under which the shards go, in a folder named by the content they come from.
        settings: How to extract.
        progress: Called with (images done, images in all).

    Returns:
        The table of patches, sorted as the images and then by strength, and the counts.

    Raises:
        DataError: An image or mask breaks a rule, or no image has a candidate.
    """
    folder = Path(store).absolute() / "patches" / _key(table, settings)
    if folder.is_dir():  # whole, because it was renamed into place
        stored = replace(read_samples(folder / _TABLE, "patches"), root=str(folder))  # a store may have been moved
        return stored, Extraction(**json.loads((folder / _COUNTS).read_text()))
    counts = Extraction(images=len(table.rows))
    rows: list[dict[str, Any]] = []
    with written_whole(folder) as beside:
        systematic_HW = _systematic(table, settings, beside)
        patches = ShardWriter(beside, "patch", settings.candidates.patch_px)
        masks = ShardWriter(beside, "mask", settings.candidates.patch_px)
        for done, (image, found) in enumerate(_each_image(table, settings, systematic_HW), start=1):
            for entry in found.patches:
                shard, row = patches.append(entry.patch_HW)
                masks.append(entry.mask_HW.astype(np.uint8))
                rows.append({**entry.row, "shard": shard, "row": row})
            if not found.patches:
                counts.images_without_candidate.append(image)
            counts.defects += found.defects
            counts.missed_defects += found.missed
            progress(done, len(table.rows))
        patches.close()
        masks.close()
        if not rows:
            raise DataError(
                f"at least one image must have a candidate, got none in {len(table.rows)} images; lower "
                "extract.candidates.threshold"
            )
        counts.patches = len(rows)
        extracted = SampleTable(pd.DataFrame(rows), "patches", str(folder), table.classes, table.clean_class)
        extracted.write(beside / _TABLE)
        (beside / _COUNTS).write_text(json.dumps(asdict(counts)))
    return extracted, counts


def _key(table: SampleTable, settings: ExtractSettings) -> str:
    """Return the name of what is extracted; a mended mask gives another, since patches carry its pixels and labels."""
    paths = [Path(table.root) / mask for mask in table.rows.sort_values("id")["mask"] if mask]
    masks = [sha256_file(path) if path.is_file() else "" for path in paths]  # a missing one is told when it is read
    what = [table.content_hash(), masks, settings.model_dump(), code_hash("vision", "data")]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:24]


@dataclass
class _Patch:
    patch_HW: Grey
    mask_HW: Mask
    row: dict[str, Any]


@dataclass
class _Found:
    patches: list[_Patch]
    defects: int
    missed: list[str]


def _each_image(
    table: SampleTable, settings: ExtractSettings, systematic_HW: Mask | None
) -> Iterator[tuple[str, _Found]]:
    """Yield (image id, what was found) in order, a bounded number of images at once on all cores."""
    records = table.rows.to_dict("records")
    read = grey_reader(table.root, settings.depth_window, settings.light_state)

    def one(image: dict[str, Any]) -> tuple[str, _Found]:
        return str(image["id"]), _extract_image(image, read(image["image"]), table, settings, systematic_HW)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(records), _IMAGES_AT_ONCE):
            yield from pool.map(one, records[start : start + _IMAGES_AT_ONCE])


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
        candidates = find_candidates(grey_HW, settings.candidates, systematic_HW)
    except DataError as error:
        raise DataError(f"{image['image']}: {error}") from error
    labelled = _Labels(image, grey_HW.shape, table)
    # Patches of two optical systems must look alike: flat field and grey levels are matched before cropping.
    seen_HW = normalise(grey_HW, settings.normalise_px) if settings.normalise_px else grey_HW
    entries, hit = [], set()
    for number, candidate in enumerate(candidates):
        patch_HW, (crop_x_px, crop_y_px, crop_px) = crop_candidate(seen_HW, candidate, settings.candidates)
        label, overlap, objects = labelled.of(candidate, settings.min_overlap)
        hit |= objects
        mask_HW = _crop_mask(labelled.defect_HW, crop_x_px, crop_y_px, crop_px, patch_HW.shape[0])
        identity = f"{image['id']}#{number}"
        per_patch = labelled.units_are_patches
        entries.append(
            _Patch(
                patch_HW, mask_HW,
                {
                    "id": identity, "image": image["id"], "label": label,
                    "unit": identity if per_patch else image["id"],
                    "unit_label": label if per_patch else image["label"],
                    "has_mask": labelled.has_mask, "overlap": overlap,
                    **_location(image, candidate), "crop_x_px": crop_x_px, "crop_y_px": crop_y_px, "crop_px": crop_px,
                    **{name: image[name] for name in ("zone", "group", "product", "cycle", "source")},
                    "sha256": hashlib.sha256(patch_HW.tobytes()).hexdigest(),
                    **{f"attr_{name}": float(value) for name, value in candidate.attributes.items()},
                },
            )
        )  # fmt: skip
    missed = [f"{image['id']}[{index}]" for index in range(labelled.defects) if index not in hit]
    return _Found(entries, labelled.defects, missed)


def _location(image: dict[str, Any], candidate: Candidate) -> dict[str, float]:
    """Return where the candidate's centre lies on the glass, in mm; NaN where the image's place is unknown."""
    pitch_mm = image["pitch_um"] / 1000
    return {
        "x_mm": image["x_mm"] + (candidate.x_px + candidate.width_px / 2) * pitch_mm,
        "y_mm": image["y_mm"] + (candidate.y_px + candidate.height_px / 2) * pitch_mm,
    }


def _crop_mask(mask_HW: Mask, x_px: int, y_px: int, crop_px: int, patch_px: int) -> Mask:
    """Cut the defect mask as the patch was cut; outside the image there is no defect."""
    import cv2

    window_HW = np.zeros((crop_px, crop_px), np.uint8)
    top, left = max(y_px, 0), max(x_px, 0)
    part_HW = mask_HW[top : y_px + crop_px, left : x_px + crop_px]
    # 255, not 1: the mean over a shrunken pixel is rounded, and a scratch of one pixel must not round to 0.
    window_HW[top - y_px : top - y_px + part_HW.shape[0], left - x_px : left - x_px + part_HW.shape[1]] = part_HW * 255
    return cv2.resize(window_HW, (patch_px, patch_px), interpolation=cv2.INTER_AREA) > 0


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
            path = Path(table.root) / image["mask"]
            shape = (shape_HW[0], shape_HW[1])
            self.defect_HW = read_mask(path, shape) if image["mask"] else np.zeros(shape, np.bool_)
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
