"""Training patches of annotated images, drawn as they are needed: around a defect, or anywhere.

Which patch is drawn follows from seed, epoch and place in the epoch, whatever worker reads it.
Shapes: B patches, D channels, P x P pixels, R x C cells.
"""

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from glassline.errors import DataError
from glassline.training.patch_stream import stream_batches
from glassline.training.settings import RegressionSettings
from glassline.vision.annotated_images import AnnotatedImages, Image
from glassline.vision.severity import Real
from glassline.vision.severity_patches import severity_patch

# Draws of a patch before a defect counts as larger than patches.
_TRIES = 50


class SeverityBatch(TypedDict):
    """What the detector is trained on."""

    image_BDPP: Tensor
    severity_BRC: Tensor


class SeverityStream(Dataset[SeverityBatch]):
    """Patches of some images by their place in the stream."""

    def __init__(
        self, images: AnnotatedImages, chosen: Sequence[int], settings: RegressionSettings, seed: int, augment: bool
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            images: The table's images.
            chosen: Numbers of the images to draw from.
            settings: Edge of a patch and share around defects.
            seed: Seed of every draw.
            augment: Whether patches are varied.

        Raises:
            DataError: No image has a defect.
        """
        self._images, self._settings, self._seed, self._augment = images, settings, seed, augment
        self._chosen = list(chosen)
        self._with = [number for number in self._chosen if images.has_any(number)]
        if not self._with:
            raise DataError(
                f"the detector needs at least one image with an annotated defect, got none of {len(self._chosen)}; "
                "annotate some"
            )

    def __len__(self) -> int:
        return self._settings.patches

    def __getitem__(self, place: int) -> SeverityBatch:
        return self.__getitems__([place])

    def __getitems__(self, places: list[int]) -> SeverityBatch:
        drawn = [self._patch(place) for place in places]
        return {
            "image_BDPP": as_input(np.stack([patch for patch, _ in drawn])),
            "severity_BRC": torch.from_numpy(np.stack([severity_RC for _, severity_RC in drawn])),
        }

    def _patch(self, place: int) -> tuple[Image, Real]:
        rng = np.random.default_rng([self._seed, place])
        settings, around = self._settings, rng.random() < self._settings.defect_share
        for _ in range(_TRIES):
            number = int(rng.choice(self._with if around else self._chosen))
            image, mask_HW = self._images.pixels(number), self._images.mask(number)
            centre = self._beside_defect(mask_HW, rng) if around else _anywhere(image, rng)
            drawn = severity_patch(
                image, mask_HW, centre, settings.patch_px, settings.detector.cell_px, rng if self._augment else None
            )
            if drawn is not None:
                return drawn
        raise DataError(
            f"patches must be larger than defects, got {settings.patch_px} px and {self._images.images[number]}, where "
            "they hold nothing else; raise patch_px, or check its mask"
        )

    def _beside_defect(self, mask_HW: Any, rng: np.random.Generator) -> tuple[int, int]:
        """Return a pixel from which a patch sees a random pixel of a defect, anywhere but at its rim."""
        row_N, column_N = np.nonzero(mask_HW)
        if not len(row_N):  # an annotated object without a pixel
            return _anywhere(mask_HW, rng)
        pixel, reach = int(rng.integers(len(row_N))), 3 * self._settings.patch_px // 8
        x, y = (int(at[pixel] + rng.integers(-reach, reach + 1)) for at in (column_N, row_N))
        return min(max(x, 0), mask_HW.shape[1] - 1), min(max(y, 0), mask_HW.shape[0] - 1)


def _anywhere(image: Any, rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(image.shape[1])), int(rng.integers(image.shape[0]))


def as_input(images: Image) -> Tensor:
    """Return what the detector reads, (B, D, H, W) in [-1, 1], of (B, H, W) or (B, H, W, 3) of 8 bit."""
    scaled = torch.from_numpy(np.array(images)).float() / 127.5 - 1  # a copy: decoded pixels may be read-only
    return scaled[:, None] if images.ndim == 3 else scaled.permute(0, 3, 1, 2).contiguous()


def severity_batches(stream: SeverityStream, batch_size: int, workers: int, moves: bool) -> DataLoader[SeverityBatch]:
    """Load a stream in batches; with `moves` every epoch draws new patches."""
    return stream_batches(stream, len(stream), batch_size, workers, moves)
