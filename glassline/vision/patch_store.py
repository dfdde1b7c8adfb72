"""Patches of a table of images, kept in a store under a name of what they were made of.

Shapes: H x W pixels of a patch.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.location.base import NotThereError
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardWriter
from glassline.data.storage import code_hash, content_key, sha256_file
from glassline.data.store import Store, open_store
from glassline.settings import Settings

Grey = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

_AT_ONCE = 32
_TABLE, _COUNTS = "samples.parquet", "counts.json"


@dataclass
class Patch:
    """A patch, the defect under it, and its row of the table but for where it is stored."""

    patch_HW: Grey
    mask_HW: Mask
    row: dict[str, Any]


@dataclass
class Counts:
    """What is told of the making of patches; further fields are of what JSON holds."""

    images: int = 0
    patches: int = 0


Told = TypeVar("Told", bound=Counts)
One = TypeVar("One")
Made = TypeVar("Made")


def kept_patches(
    table: SampleTable, store: str | Path, settings: Settings, patch_px: int, counts: Told,
    make: Callable[[Path], Iterable[Patch]],
) -> tuple[SampleTable, Told]:  # fmt: skip
    """Return the patches that the store knows by images, masks, settings and code; make them where it does not.

    Args:
        table: Table of images; its classes become those of the patches.
        store: Folder or S3 URL under which the shards go, in a folder named by the content they come from.
        settings: How patches are made.
        patch_px: Edge of a patch.
        counts: Counts that `make` fills; the number of patches is filled here.
        make: Yields the patches in the table's order; called with the folder, for what belongs beside the shards.

    Returns:
        The table of patches and the counts.
    """

    def write(folder: Path) -> None:
        _write(folder, table, patch_px, counts, make)

    kept = open_store(store).made(f"patches/{_key(table, settings)}", write)
    made = replace(read_samples(kept.file(_TABLE), "patches"), root=kept.url)  # a store may have been moved
    return made, type(counts)(**json.loads(kept.file(_COUNTS).read_text()))


def _write(
    folder: Path, table: SampleTable, patch_px: int, counts: Counts, make: Callable[[Path], Iterable[Patch]]
) -> None:
    rows: list[dict[str, Any]] = []
    patches, masks = (ShardWriter(folder, prefix, patch_px) for prefix in ("patch", "mask"))
    for entry in make(folder):
        shard, row = patches.append(entry.patch_HW)
        masks.append(entry.mask_HW.astype(np.uint8))
        rows.append({**entry.row, "shard": shard, "row": row})
    patches.close()
    masks.close()
    counts.patches = len(rows)
    SampleTable(pd.DataFrame(rows), "patches", "", table.classes, table.clean_class).write(folder / _TABLE)
    (folder / _COUNTS).write_text(json.dumps(asdict(counts)))


def _key(table: SampleTable, settings: Settings) -> str:
    """Return the name of what is made; a mended mask gives another, since patches carry its pixels and labels."""
    place = open_store(table.root)
    masks = list(in_order(partial(_sum, place), [mask for mask in table.rows.sort_values("id")["mask"] if mask]))
    what = [table.content_hash(), masks, type(settings).__name__, settings.model_dump(), code_hash("vision", "data")]
    return content_key(what)


def _sum(place: Store, mask: str) -> str:
    try:
        with place.opened(mask) as path:
            return sha256_file(path)
    except (NotThereError, FileNotFoundError):
        return ""  # told when it is read


def in_order(work: Callable[[One], Made], images: Sequence[One]) -> Iterator[Made]:
    """Yield what becomes of each image, in order, a bounded number of images at once on all cores."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(images), _AT_ONCE):
            yield from pool.map(work, images[start : start + _AT_ONCE])


def patch_row(
    image: dict[str, Any], number: int, patch_HW: Grey, crop_px: tuple[int, int, int], middle_px: tuple[float, float]
) -> dict[str, Any]:
    """Return what a patch's row says of where it comes from.

    Args:
        image: Row of its image.
        number: Its number on the image.
        patch_HW: Its pixels.
        crop_px: x, y and edge of what was cut.
        middle_px: x and y of what it shows, whose place on the glass is told; NaN where the image's is unknown.
    """
    pitch_mm = image["pitch_um"] / 1000
    return {
        "id": f"{image['id']}#{number}", "image": image["id"],
        **{f"{axis}_mm": image[f"{axis}_mm"] + px * pitch_mm for axis, px in zip("xy", middle_px, strict=True)},
        "crop_x_px": crop_px[0], "crop_y_px": crop_px[1], "crop_px": crop_px[2],
        **{name: image[name] for name in ("zone", "group", "product", "cycle", "source")},
        "sha256": hashlib.sha256(patch_HW.tobytes()).hexdigest(),
    }  # fmt: skip


def crop_mask(mask_HW: Mask, crop_px: tuple[int, int, int], patch_px: int) -> Mask:
    """Cut the defect mask as the patch was cut; outside the image there is no defect.

    Args:
        mask_HW: Where defects lie on the image.
        crop_px: x, y and edge of what was cut.
        patch_px: Edge of a patch.
    """
    import cv2

    x_px, y_px, edge_px = crop_px
    window_HW = np.zeros((edge_px, edge_px), np.uint8)
    top, left = max(y_px, 0), max(x_px, 0)
    part_HW = mask_HW[top : y_px + edge_px, left : x_px + edge_px]
    # 255, not 1: the mean over a shrunken pixel is rounded, and a scratch of one pixel must not round to 0.
    window_HW[top - y_px : top - y_px + part_HW.shape[0], left - x_px : left - x_px + part_HW.shape[1]] = part_HW * 255
    return np.asarray(cv2.resize(window_HW, (patch_px, patch_px), interpolation=cv2.INTER_AREA) > 0)
