"""Images of a table with where their defects lie and of which type: what severity is learned from and judged on.

Shapes: H x W pixels, D channels (1 grey, 3 red, green, blue).
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from glassline.data.images import read_colour, read_mask
from glassline.data.samples import SampleTable
from glassline.data.storage import sha256_file
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.defects import join_clusters
from glassline.vision.objects import draw_objects
from glassline.vision.zone_images import grey_reader

Image = npt.NDArray[np.uint8]
Index = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Annotated:
    """The defects of an image.

    Attributes:
        index_HW: 1 + number of the defect at each pixel, 0 where there is none.
        labels: Type of each defect.
    """

    index_HW: Index
    labels: tuple[str, ...]

    @property
    def mask_HW(self) -> Mask:
        """Where any defect lies."""
        return self.index_HW > 0


class AnnotatedImages:
    """The images of a table by number; safe to send to other processes."""

    def __init__(
        self, table: SampleTable, colour: bool = False, depth_window: tuple[int, int] | None = None,
        light_state: int | None = None,
    ) -> None:  # fmt: skip
        """Look at the rows of a table of images.

        Args:
            table: Table of images.
            colour: Whether images are read in colour.
            depth_window: Grey levels that become 0 and 255 where images have more than 8 bit.
            light_state: Light state of captures to look at; None takes the maximum over all.

        Raises:
            DataError: There is no image, no defect is annotated with its place, or captures are to be read in colour.
        """
        rows = table.rows
        self.root, self.images = table.root, rows["image"].tolist()
        self.groups, self.hashes = rows["group"].astype(str).tolist(), rows["sha256"].tolist()
        self.sizes_px = list(zip(rows["height_px"].astype(int), rows["width_px"].astype(int), strict=True))
        self.pitches_um = [float(pitch) for pitch in rows["pitch_um"]]
        self.colour, self.depth_window, self.light_state = colour, depth_window, light_state
        #: Types of defects: the table's classes but the one without defect.
        self.types = tuple(name for name in table.classes if name != table.clean_class)
        self._labels, self._masks = rows["label"].tolist(), rows["mask"].tolist()
        self._objects = [_placed(told, self.types) for told in rows["objects"]]
        if not tells_places(table):
            raise DataError(
                f"severity is learned from defects with a mask, polygon or box, got none on {len(self)} images; "
                "annotate some, or set severity=false"
            )
        if colour and PurePosixPath(self.images[0]).parent.suffix == ".zarr":
            raise DataError("captures are looked at in grey, got colour=true; set it to false")

    def __len__(self) -> int:
        return len(self.images)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_grey"}

    @cached_property
    def _grey(self) -> Callable[[str], Image]:
        return grey_reader(self.root, self.depth_window, self.light_state)

    def pixels(self, number: int) -> Image:
        """Return an image (H, W) or, in colour, (H, W, 3).

        Raises:
            DataError: It cannot be read; names it.
        """
        if self.colour:
            with open_store(self.root).opened(self.images[number]) as path:
                return read_colour(path, self.depth_window)
        return self._grey(self.images[number])

    def grey(self, number: int) -> Image:
        """Return an image in grey (H, W), as severity is labelled on; see `pixels`."""
        return as_grey(self.pixels(number))

    def placeless(self, number: int) -> bool:
        """Return whether an image is labelled as defective but nobody says where: neither defective nor clean here."""
        return self._labels[number] in self.types and not self.has_any(number)

    def has_any(self, number: int) -> bool:
        """Return whether a defect is annotated on an image; reads no pixel."""
        return bool(self._objects[number]) or self._masked(number)

    def _masked(self, number: int) -> bool:
        return bool(self._masks[number]) and self._labels[number] in self.types

    def annotated(self, number: int) -> Annotated:
        """Return the defects of an image: annotated objects, or the clusters of its mask, all of the image's class.

        Raises:
            DataError: The mask cannot be read or has another size; names it.
        """
        size = self.sizes_px[number]
        if self._objects[number]:
            return Annotated(draw_objects(self._objects[number], size),
                             tuple(one["label"] for one in self._objects[number]))  # fmt: skip
        if not self._masked(number):
            return Annotated(np.zeros(size, np.int32), ())
        index_HW = join_clusters(self._mask(number))
        return Annotated(index_HW, (self._labels[number],) * int(index_HW.max()))

    def mask(self, number: int) -> Mask:
        """Return where any defect of an image lies; see `annotated`, which also numbers them and takes longer."""
        if self._objects[number] or not self._masked(number):
            return self.annotated(number).mask_HW
        return self._mask(number)

    def _mask(self, number: int) -> Mask:
        with open_store(self.root).opened(self._masks[number]) as path:
            return read_mask(path, self.sizes_px[number])

    def truth_hash(self, number: int) -> str:
        """Return a hash of the annotation of an image."""
        content = ""
        if self._masked(number):
            with open_store(self.root).opened(self._masks[number]) as path:
                content = sha256_file(path)
        told = json.dumps([self._objects[number], self._labels[number], content], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()


def tells_places(table: SampleTable) -> bool:
    """Return whether any image of a table says where a defect is, by mask, polygon or box; reads no pixel."""
    types = [name for name in table.classes if name != table.clean_class]
    rows = table.rows
    masked = (rows["mask"] != "") & rows["label"].isin(types)
    return bool(masked.any()) or any(_placed(told, types) for told in rows["objects"])


def _placed(told: str, types: Sequence[str]) -> list[dict[str, Any]]:
    """Return the objects of an image that are defects."""
    return [one for one in json.loads(told or "[]") if one["label"] in types]


def as_grey(image: Image) -> Image:
    """Return an image of either kind in grey (H, W), ITU-R BT.601."""
    return image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
