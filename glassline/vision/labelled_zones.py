"""The zones of a table of images with the masks of what is looked for; read window by window.

Shapes: S light states x H x W pixels.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures, Frames, open_captures
from glassline.data.captures.window import Window
from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.images import image_header, read_grey, read_mask
from glassline.data.samples import SampleTable
from glassline.data.storage import sha256_file
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.objects import draw_objects

Mask = npt.NDArray[np.bool_]


class LabelledZones:
    """Zones of captures, or grey images of 8 bit, with masks; safe to send to other processes."""

    def __init__(self, table: SampleTable, labels: Sequence[str]) -> None:
        """Look at the rows of a table of images.

        Args:
            table: Table of images.
            labels: Classes that are looked for; every other object is background.

        Raises:
            DataError: There is no row, or a class is not among the table's.
        """
        unknown = [label for label in labels if label not in table.classes]
        if unknown or not len(table.rows):
            raise DataError(
                f"labels must be among the classes {list(table.classes)} of {len(table.rows)} images, got {unknown}; "
                "name the classes to look for"
            )
        rows = table.rows
        self.root, self.images = table.root, rows["image"].tolist()
        self.groups = rows["group"].astype(str).tolist()
        self.sizes_px = list(zip(rows["height_px"].astype(int), rows["width_px"].astype(int), strict=True))
        self._labels = frozenset(labels)
        self._image_labels, self._masks = rows["label"].tolist(), rows["mask"].tolist()
        self._objects = rows["objects"].tolist()
        self.hashes = rows["sha256"].tolist()

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def captures(self) -> Captures | None:
        """The captures that the zones lie in, None for grey images."""
        return open_captures(self.root) if PurePosixPath(self.images[0]).parent.suffix == ".zarr" else None

    def format(self) -> ZoneFormat:
        """Return the format that all zones have.

        Raises:
            DataError: A zone differs from the first; names it.
        """
        if self.captures is None:
            depths = set(map(self._depth, self.images))
            if depths != {8}:
                raise DataError(
                    f"grey images must have 8 bit to be segmented, got {sorted(depths)}; ingest them as captures"
                )
            return ZoneFormat(azimuths_deg=(), pattern="mono", bit_depth=8, pitch_um=None)
        found = ZoneFormat.of(self.captures.meta(self.ref(0)))
        for number in range(len(self)):
            meta = self.captures.meta(self.ref(number))
            try:
                found.order(meta)
            except DataError:
                raise DataError(
                    f"{self.images[number]} must be arranged as {self.images[0]} to be trained on with it, "
                    f"{_arranged(found)}, got {_arranged(ZoneFormat.of(meta))}; leave either out of the labels"
                ) from None
        return found

    def _depth(self, image: str) -> int:
        with open_store(self.root).opened(image) as path:
            return image_header(path)[2]

    def ref(self, number: int) -> ZoneRef:
        """Return the zone's name in its captures."""
        return ZoneRef.of_path(self.images[number])

    def frames(self, number: int, of: ZoneFormat, window: Window | None = None) -> Frames:
        """Return frames (S, H, W) of a zone or of a window of it, in the order of a format's light states.

        Raises:
            DataError: The zone has another format or is damaged; names it.
        """
        if self.captures is None:
            with open_store(self.root).opened(self.images[number]) as path:
                grey_HW = read_grey(path)
            return np.asarray(grey_HW[window.pixels if window else ...][None], np.uint16)
        ref = self.ref(number)
        order = of.order(self.captures.meta(ref))
        return self.captures.read(ref, window)[order]

    def objects(self, number: int) -> list[dict[str, Any]]:
        """Return the annotated objects that are looked for; see `glassline.data.samples`."""
        stated = json.loads(self._objects[number] or "[]")
        return [one for one in stated if one["label"] in self._labels]

    def truth_hash(self, number: int) -> str:
        """Return a hash of where something that is looked for lies: of the annotated objects, and of a mask's file."""
        content = ""
        if self._masks[number]:
            with open_store(self.root).opened(self._masks[number]) as path:
                content = sha256_file(path)
        told = json.dumps([self.objects(number), self.has_any(number), content], sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()

    def has_any(self, number: int) -> bool:
        """Return whether something that is looked for is annotated on a zone; reads no pixel."""
        return bool(self.objects(number)) or bool(self._masks[number] and self._image_labels[number] in self._labels)

    def mask(self, number: int, window: Window | None = None) -> Mask:
        """Return where something that is looked for lies (H, W), of a zone or of a window of it."""
        size = self.sizes_px[number]
        if self._masks[number]:
            wanted = self._image_labels[number] in self._labels
            whole_HW = self._whole_mask(number) if wanted else np.zeros(size, np.bool_)
            return whole_HW[window.pixels if window else ...]
        objects = [one for one in self.objects(number) if window is None or _overlap(one["bbox"], window)]
        if not objects:
            return np.zeros((window.height_px, window.width_px) if window else size, np.bool_)
        return (draw_objects(objects, size) > 0)[window.pixels if window else ...]

    def _whole_mask(self, number: int) -> Mask:
        with open_store(self.root).opened(self._masks[number]) as path:
            return read_mask(path, self.sizes_px[number])


def _arranged(of: ZoneFormat) -> str:
    return f"{', '.join(f'{azimuth:g}' for azimuth in of.azimuths_deg)} degrees, {of.pattern}, {of.bit_depth} bit"


def _overlap(bbox: Sequence[float], window: Window) -> bool:
    x, y, width, height = bbox
    return (
        x < window.x_px + window.width_px and window.x_px < x + width
        and y < window.y_px + window.height_px and window.y_px < y + height
    )  # fmt: skip
