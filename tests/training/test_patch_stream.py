"""Patches of zones: one with a scratch in a batch, none empty, the same draws whoever reads them."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from glassline.data.importers import read_source
from glassline.errors import DataError
from glassline.training.patch_stream import PatchStream, patch_batches
from glassline.training.settings import SegmentationSettings
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.network_input import has_information

SMALL = {"unet": {"width": 1 / 32}, "patch_px": 64, "patches": 8, "batch_size": 4}


@pytest.fixture(scope="module")
def zones(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> LabelledZones:
    """Return four zones: a scratch on the first and last, a dent on the second, nothing on the third."""
    folder = write_labelled(tmp_path_factory.mktemp("labelled"), glasses=4)
    return LabelledZones(read_source(folder, "captures"), ["scratch"])


def stream(zones: LabelledZones, chosen=(0, 1, 2, 3), seed=0, augment=True, **settings) -> PatchStream:
    parsed = SegmentationSettings.parse({**SMALL, **settings})
    return PatchStream(zones, list(chosen), zones.format(), parsed, seed, augment)


def read(of: PatchStream, workers: int = 0, epochs: int = 1) -> list[torch.Tensor]:
    loader = patch_batches(of, 4, workers, moves=True)
    found = []
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)
        found += [tensor for batch in loader for tensor in (batch["sigmas_BSHW"], batch["scratch_BHW"])]
    return found


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("augment", [True, False])
def test_every_batch_has_one_patch_with_a_scratch_and_it_is_the_first(zones, augment):
    for batch in patch_batches(stream(zones, augment=augment), 4, 0, moves=True):
        assert batch["scratch_BHW"].flatten(1).any(1).tolist() == [True, False, False, False]
        assert batch["sigmas_BSHW"].shape == (4, 2, 64, 64)


def test_share_of_scratches_is_as_set(zones):
    batch = next(iter(patch_batches(stream(zones, scratch_share=0.5), 4, 0, moves=True)))
    assert batch["scratch_BHW"].flatten(1).any(1).tolist() == [True, True, False, False]


def test_patches_without_information_are_discarded(zones):
    # Two of three other zones are mostly noise: a dent is found all the same.
    batches = list(patch_batches(stream(zones), 4, 0, moves=True))
    assert all(has_information(sigmas.numpy()) for batch in batches for sigmas in batch["sigmas_BSHW"])


def test_patch_and_mask_belong_together_where_hardly_any_window_is_without_a_scratch(zones):
    # 130 of 160 px: every window of the first zone holds its scratch, or nothing.
    drawn = stream(zones, chosen=[0], patch_px=128, augment=False).__getitems__(list(range(4)))
    for sigmas_SHW, mask_HW in zip(drawn["sigmas_BSHW"], drawn["scratch_BHW"].bool(), strict=True):
        assert mask_HW.any() == has_information(sigmas_SHW.numpy())
        if mask_HW.any():
            assert sigmas_SHW[1][mask_HW].min() > 20 > sigmas_SHW[1][~mask_HW].max()


def test_draws_are_the_same_with_and_without_workers(zones):
    assert same(read(stream(zones)), read(stream(zones), workers=2))


def test_draws_follow_the_seed(zones):
    assert same(read(stream(zones, seed=5)), read(stream(zones, seed=5)))
    assert not same(read(stream(zones, seed=5)), read(stream(zones, seed=6)))


def test_epochs_draw_new_patches_unless_the_stream_stands(zones):
    both = read(stream(zones), epochs=2)
    assert not same(both[:4], both[4:])
    loader = patch_batches(stream(zones, augment=False), 4, 0, moves=False)
    loader.sampler.set_epoch(1)
    assert torch.equal(next(iter(loader))["sigmas_BSHW"], read(stream(zones, augment=False))[0])


def test_windows_of_captures_begin_even(zones):
    class Watched(LabelledZones):
        def frames(self, number, of, window=None):
            assert window.x_px % 2 == window.y_px % 2 == 0
            assert window.x_px + window.width_px <= 160
            assert window.y_px + window.height_px <= 160
            seen.append(window)
            return super().frames(number, of, window)

    seen: list = []
    watched = pickle.loads(pickle.dumps(zones))
    watched.__class__ = Watched
    stream(watched, chosen=[0, 1]).__getitems__(list(range(12)))
    assert len({(window.x_px, window.y_px) for window in seen}) > 10


def test_direction_blind_patches_have_one_state(zones):
    assert stream(zones, direction_blind=True)[0]["sigmas_BSHW"].shape == (1, 1, 64, 64)


def test_zone_smaller_than_a_patch_is_refused_by_name(zones):
    with pytest.raises(DataError, match=r"G0000\.zarr/clean-00 must have at least 194 x 194 px .* \(160, 160\); lower"):
        stream(zones, patch_px=192)


def test_zones_without_any_scratch_are_refused(zones):
    with pytest.raises(DataError, match="at least one zone with scratch, got none of 2; label some"):
        stream(zones, chosen=[1, 2])


def test_noise_alone_has_no_information_and_a_mark_of_few_pixels_has():
    sigmas_SHW = np.random.default_rng(0).standard_normal((6, 128, 128)).astype(np.float32)
    assert not has_information(sigmas_SHW)
    sigmas_SHW[2, 60, 60:63] = 9
    assert not has_information(sigmas_SHW)
    sigmas_SHW[2, 60, 60:65] = 9
    assert has_information(sigmas_SHW)
