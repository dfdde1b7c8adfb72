"""Augmentation as a name beside a sample: flips, shifts and CLAHE, applied when a patch is read.

A copy is a row that points at the pixels of its original and names an operation such as
`flip_h|shift:3,-2|clahe`; nothing is drawn or stored until a batch is read.

Source: flip and shift as usual; CLAHE after Stark, "Adaptive image contrast enhancement using
generalizations of histogram equalization", IEEE Transactions on Image Processing, 2000.
Shapes: H x W pixels of a patch.
"""

import hashlib
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from glassline.data.samples import SampleTable
from glassline.errors import DataError, SettingsError
from glassline.settings import Settings

#: Contrast limit and tiles per edge of CLAHE. On 112 px a tile is 14 px, about a candidate's size.
CLAHE_CLIP = 2.0
CLAHE_TILES = 8

_Pixel = TypeVar("_Pixel", bound=np.generic)


class AugmentSettings(Settings):
    """Which operations copies are made with, and how many copies."""

    flip: bool = Field(True, description="mirror left-right, top-bottom or both")
    shift_px: int = Field(8, ge=0, le=1024, description="largest shift along x and y in px, 0 for none")
    clahe: bool = Field(False, description="contrast limited adaptive histogram equalisation")
    copies: int = Field(2, ge=0, le=64, description="copies of each sample")

    @property
    def distinct(self) -> int:
        """How many different operations these settings allow."""
        return (4 if self.flip else 1) * (2 * self.shift_px + 1) ** 2 * (2 if self.clahe else 1) - 1


def apply_augmentation(patch_HW: npt.NDArray[_Pixel], operations: str, *, mask: bool = False) -> npt.NDArray[_Pixel]:
    """Apply the operations of one sample, left to right.

    Args:
        patch_HW: Grey patch, uint8; or its mask of any type.
        operations: Joined by `|`: `flip_h` (left-right), `flip_v` (top-bottom), `shift:dx,dy` in px
            (positive moves the content right and down, the border is reflected), `clahe`; "" for none.
        mask: Move the pixels only, as befits a mask: no CLAHE.

    Returns:
        A patch of the same shape and type; never a view of the input unless `operations` is "".

    Raises:
        DataError: An operation is unknown or a shift is as large as the patch.
    """
    for operation in filter(None, operations.split("|")):
        name, _, argument = operation.partition(":")
        if operation == "flip_h":
            patch_HW = np.ascontiguousarray(patch_HW[:, ::-1])
        elif operation == "flip_v":
            patch_HW = np.ascontiguousarray(patch_HW[::-1])
        elif name == "shift":
            patch_HW = _shifted(patch_HW, argument)
        elif operation == "clahe":
            patch_HW = patch_HW.copy() if mask else _equalised(patch_HW)
        else:
            raise DataError(
                f"an augmentation must be flip_h, flip_v, shift:dx,dy or clahe, got {operation!r}; "
                "run augment_samples again"
            )
    return patch_HW


def _shifted(patch_HW: npt.NDArray[_Pixel], argument: str) -> npt.NDArray[_Pixel]:
    height, width = patch_HW.shape
    try:
        dx, dy = (int(part) for part in argument.split(","))
    except ValueError:
        raise DataError(f"a shift must read shift:dx,dy in whole px, got shift:{argument}") from None
    if abs(dx) >= width or abs(dy) >= height:
        raise DataError(
            f"a shift must be smaller than the patch of {width} x {height} px, got {dx}, {dy} px; lower shift_px"
        )
    border = ((max(dy, 0), max(-dy, 0)), (max(dx, 0), max(-dx, 0)))
    padded_HW = np.pad(patch_HW, border, mode="reflect")
    top, left = max(-dy, 0), max(-dx, 0)
    return np.ascontiguousarray(padded_HW[top : top + height, left : left + width])


def _equalised(patch_HW: npt.NDArray[_Pixel]) -> npt.NDArray[_Pixel]:
    if patch_HW.dtype != np.uint8:
        raise DataError(f"clahe needs a patch of uint8, got {patch_HW.dtype}; pass mask=True for a mask")
    clahe = cv2.createCLAHE(clipLimit=CLAHE_CLIP, tileGridSize=(CLAHE_TILES, CLAHE_TILES))
    return np.asarray(clahe.apply(np.asarray(patch_HW, np.uint8))).astype(patch_HW.dtype, copy=False)


def augment_table(table: SampleTable, settings: AugmentSettings, seed: int) -> SampleTable:
    """Add copies of every sample, each with an operation of its own.

    A copy keeps its original's class, group and fold, so that it can only ever train models that its
    original trains. The operation depends on seed and id alone, not on the order of rows.

    Args:
        table: Table of patches without copies.
        settings: Operations and number of copies.
        seed: Any integer.

    Returns:
        Originals first, with `augmentation` and `origin` empty; then the copies, `id` = original~k.

    Raises:
        DataError: The table holds copies already.
        SettingsError: More copies are asked for than there are different operations.
    """
    if settings.copies > settings.distinct:
        raise SettingsError(
            f"copies must be <= {settings.distinct}, the number of different operations of these settings, "
            f"got {settings.copies}; allow flip, clahe or a larger shift_px"
        )
    if "augmentation" in table.rows and (table.rows["augmentation"] != "").any():
        raise DataError("a table is augmented once, got one with copies; start from the table without copies")
    originals = table.rows.assign(augmentation="", origin="")
    if settings.copies == 0 or originals.empty:
        return table.with_rows(originals)
    drawn = [_draw(sample, settings, seed) for sample in originals["id"]]
    copies = [
        originals.assign(
            id=[f"{sample}~{copy}" for sample in originals["id"]],
            origin=originals["id"],
            augmentation=[operations[copy] for operations in drawn],
        )
        for copy in range(settings.copies)
    ]
    return table.with_rows(pd.concat([originals, *copies]))


def _draw(sample: str, settings: AugmentSettings, seed: int) -> list[str]:
    """Return `copies` different operations; a hash instead of a generator, as there may be 600,000 samples."""
    drawn: dict[str, None] = {"": None}
    attempt = 0
    span = 2 * settings.shift_px + 1
    while len(drawn) <= settings.copies:
        digest = hashlib.sha256(f"{seed}\0{attempt}\0{sample}".encode()).digest()
        attempt += 1
        dx = int.from_bytes(digest[1:5], "big") % span - settings.shift_px
        dy = int.from_bytes(digest[5:9], "big") % span - settings.shift_px
        parts = [
            "flip_h" if settings.flip and digest[0] & 1 else "",
            "flip_v" if settings.flip and digest[0] & 2 else "",
            f"shift:{dx},{dy}" if dx or dy else "",
            "clahe" if settings.clahe and digest[0] & 4 else "",
        ]
        drawn["|".join(filter(None, parts))] = None
    return list(drawn)[1:]
