"""Training patches of zones, drawn as they are needed: a patch with a scratch first, then ones without.

Nothing is cut beforehand: a patch is a window that the capture store reads alone, so a terabyte of zones costs no
second one. Which window is drawn follows from seed, epoch and place in the epoch, whatever worker reads it.

Source: Turko 2021, sections 5.4 (one patch with a scratch in a batch) and 5.6 (patches without information discarded).
Shapes: B patches, S light states, H x W pixels.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from glassline.data.captures.store import Frames
from glassline.data.captures.window import Window
from glassline.data.captures.zone_format import ZoneFormat
from glassline.errors import DataError
from glassline.training.settings import SegmentationSettings
from glassline.vision.capture_augment import SPARE_PX, add_noise, possible_turns, turn_capture
from glassline.vision.labelled_zones import LabelledZones, Mask
from glassline.vision.light_states import Real
from glassline.vision.network_input import has_information, network_input

Batch = TypeVar("Batch")

# Draws of a window before an empty one, or one with a scratch where hardly any is without, is taken all the same.
_TRIES = 20


class ZonePatches(TypedDict):
    """What a segmentation network is trained on."""

    sigmas_BSHW: Tensor
    scratch_BHW: Tensor


class PatchStream(Dataset[ZonePatches]):
    """Patches of some zones by their place in the stream."""

    def __init__(
        self, zones: LabelledZones, chosen: Sequence[int], of: ZoneFormat, settings: SegmentationSettings, seed: int,
        augment: bool,
    ) -> None:  # fmt: skip
        """Prepare; nothing is read yet but where the scratches are.

        Args:
            zones: The table's zones.
            chosen: Numbers of the zones to draw from.
            of: Their format.
            settings: Edge and batch.
            seed: Seed of every draw.
            augment: Whether patches are turned and noise is added.

        Raises:
            DataError: No zone has a scratch, or a zone is smaller than a patch; names it.
        """
        self._zones, self._format, self._settings, self._seed, self._augment = zones, of, settings, seed, augment
        self._chosen = list(chosen)
        self._with = [number for number in self._chosen if zones.has_any(number)]
        if not self._with:
            raise DataError(
                f"training needs at least one zone with {' or '.join(settings.labels)}, got none of "
                f"{len(self._chosen)}; label some, or name other classes in labels"
            )
        need_px = settings.patch_px + SPARE_PX
        for number in self._chosen:
            if min(zones.sizes_px[number]) < need_px:
                raise DataError(
                    f"{zones.images[number]} must have at least {need_px} x {need_px} px for patches of "
                    f"{settings.patch_px} px, got {zones.sizes_px[number]}; lower patch_px"
                )
        self._turns = possible_turns(of)

    def __len__(self) -> int:
        return self._settings.patches

    def __getitem__(self, place: int) -> ZonePatches:
        return self.__getitems__([place])

    def __getitems__(self, places: list[int]) -> ZonePatches:
        drawn = [self._patch(place) for place in places]
        return {
            "sigmas_BSHW": torch.from_numpy(np.stack([sigmas_SHW for sigmas_SHW, _ in drawn])),
            "scratch_BHW": torch.from_numpy(np.stack([mask_HW for _, mask_HW in drawn]).astype(np.uint8)),
        }

    def _patch(self, place: int) -> tuple[Real, Mask]:
        rng = np.random.default_rng([self._seed, place])
        settings = self._settings
        with_scratch = place % settings.batch_size < max(1, round(settings.scratch_share * settings.batch_size))
        kept: tuple[Real, Mask] | None = None
        for _ in range(_TRIES):
            frames_SHW, mask_HW = self._vary(*self._draw(with_scratch, rng), rng)
            if kept and mask_HW.any() != with_scratch:
                continue
            kept = network_input(frames_SHW, self._format.pattern, settings.direction_blind), mask_HW
            if mask_HW.any() == with_scratch and (with_scratch or has_information(kept[0])):
                break
        assert kept is not None
        return kept

    def _draw(self, with_scratch: bool, rng: np.random.Generator) -> tuple[Frames, Mask]:
        number = int(rng.choice(self._with if with_scratch else self._chosen))
        window = self._around_scratch(number, rng) if with_scratch else self._anywhere(number, rng)
        return self._zones.frames(number, self._format, window), self._zones.mask(number, window)

    def _vary(self, frames_SHW: Frames, mask_HW: Mask, rng: np.random.Generator) -> tuple[Frames, Mask]:
        turn = self._turns[int(rng.integers(len(self._turns))) if self._augment else 0]
        frames_SHW, mask_HW = turn_capture(frames_SHW, mask_HW, turn, self._format)
        return (add_noise(frames_SHW, rng, self._format.bit_depth) if self._augment else frames_SHW), mask_HW

    def _anywhere(self, number: int, rng: np.random.Generator) -> Window:
        height, width = self._zones.sizes_px[number]
        edge = self._settings.patch_px + SPARE_PX
        # Even: a window begins as the mosaic does.
        y, x = (2 * int(rng.integers((size - edge) // 2 + 1)) for size in (height, width))
        return Window(x, y, edge, edge)

    def _around_scratch(self, number: int, rng: np.random.Generator) -> Window:
        mask_HW = self._zones.mask(number)
        row_N, column_N = np.nonzero(mask_HW)
        if not len(row_N):
            return self._anywhere(number, rng)
        pixel = int(rng.integers(len(row_N)))
        edge = self._settings.patch_px + SPARE_PX
        y, x = (
            2 * (int(np.clip(at - rng.integers(edge // 8, edge - edge // 8), 0, size - edge)) // 2)
            for at, size in zip((row_N[pixel], column_N[pixel]), mask_HW.shape, strict=True)
        )
        return Window(x, y, edge, edge)


class Places(Sampler[int]):
    """The places of an epoch in the stream, each once: epochs never repeat a draw."""

    def __init__(self, length: int, moves: bool) -> None:
        """Walk `length` places; the same in every epoch unless the stream moves on."""
        self._length, self._moves, self._epoch = length, moves, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch; the training loop calls it."""
        self._epoch = epoch if self._moves else 0

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        start = self._epoch * self._length
        yield from range(start, start + self._length)


def stream_batches(
    stream: Dataset[Batch], length: int, batch_size: int, workers: int, moves: bool
) -> DataLoader[Batch]:  # fmt: skip
    """Load a stream in whole batches; it stacks those itself.

    Args:
        stream: What to load, by its place.
        length: Patches of an epoch; what is no whole batch is left out.
        batch_size: Patches of a batch.
        workers: Loader processes; 0 loads in this process.
        moves: Whether every epoch draws new patches.
    """
    return DataLoader(
        stream, batch_size, sampler=Places(length // batch_size * batch_size, moves), num_workers=workers,
        collate_fn=as_read, persistent_workers=workers > 0,
    )  # fmt: skip


def patch_batches(stream: PatchStream, batch_size: int, workers: int, moves: bool) -> DataLoader[ZonePatches]:
    """Load an epoch of a stream of zones; see `stream_batches`."""
    return stream_batches(stream, len(stream), batch_size, workers, moves)


def as_read(batch: Any) -> Any:
    """Return a batch as its stream stacked it."""
    return batch
