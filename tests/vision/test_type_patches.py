"""Training windows cut around defects."""

import numpy as np
import pytest

from glassline.vision.type_patches import type_crop, type_patch
from glassline.vision.type_windows import type_windows


@pytest.mark.parametrize("box", [(50, 60, 5, 9), (0, 0, 70, 3), (10, 100, 100, 90), (190, 140, 10, 10)])
@pytest.mark.parametrize("window_px", [32, 33, 64])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_plain_patch_is_the_centred_window_of_the_vote(box, window_px, channels):
    image = np.random.default_rng(0).integers(0, 256, (200, 200, *channels), np.uint8)
    patch = type_patch(type_crop(image, box, None, window_px), None)
    assert (patch == type_windows(image, box, np.ones(box[:1:-1], np.bool_), window_px)[0]).all()


@pytest.mark.parametrize("edge_px", [6, 60, 130])
def test_crop_weighs_the_pixels_of_the_defect(edge_px):
    image, mask_hw = np.zeros((700, 700), np.uint8), np.random.default_rng(0).random((edge_px, edge_px)) < 0.5
    image[280 : 280 + edge_px, 290 : 290 + edge_px] = 255 * mask_hw
    crop = type_crop(image, (290, 280, edge_px, edge_px), mask_hw, 64)
    assert crop.image.shape == crop.weight_KK.shape == (128, 128)
    assert (crop.image == crop.weight_KK).all()


@pytest.mark.parametrize("box", [(50, 50, 6, 6), (40, 10, 64, 4), (40, 40, 64, 64), (20, 30, 128, 90)])
def test_varied_patch_holds_at_least_half_the_defect(box):
    image = np.zeros((256, 256), np.uint8)
    image[box[1] : box[1] + box[3], box[0] : box[0] + box[2]] = 255
    crop, rng = type_crop(image, box, None, 64), np.random.default_rng(0)
    whole = int((crop.image > 128).sum())
    shares = [(type_patch(crop, rng) > 150).sum() / whole for _ in range(50)]
    assert min(shares) > 0.35  # contrast, noise and turned rims move pixels over the level


def test_varied_patches_differ_and_repeat_with_their_seed():
    crop = type_crop(np.random.default_rng(0).integers(0, 256, (90, 90), np.uint8), (40, 40, 8, 8), None, 32)
    first, again, other = (type_patch(crop, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()
    assert first.dtype == np.uint8
    assert first.shape == (32, 32)
