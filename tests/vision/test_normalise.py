import numpy as np
import pytest

from glassline.errors import DataError
from glassline.vision.normalise import flat_field, normalise, robust_spread, smooth


def _textured(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 6, (120, 160))
    image = 100 + noise
    image[50:60, 70:80] -= 50
    return image


def test_normalise_agrees_between_two_optical_systems():
    image = _textured()
    x = np.arange(160)[None, :]
    bright = np.rint(image * (1.4 + 0.3 * x / 160)).clip(0, 255).astype(np.uint8)
    dim = np.rint(image * (0.9 - 0.3 * x / 160)).clip(0, 255).astype(np.uint8)
    before = np.abs(bright.astype(float) - dim).mean()
    after = np.abs(normalise(bright, 24).astype(float) - normalise(dim, 24)).mean()
    assert before > 50
    assert after < 4  # of 8 grey levels a sigma; rounding of the dim image alone costs 1


def test_normalise_matches_median_and_contrast():
    out = normalise(np.rint(_textured()).astype(np.uint8), 0)
    median, sigma = robust_spread(out.astype(np.float32))
    assert abs(median - 128) <= 1
    assert abs(sigma - 8) <= 1


def test_normalise_keeps_a_constant_image_flat():
    assert set(np.unique(normalise(np.full((40, 40), 77, np.uint8), 8))) == {128}


def test_normalise_keeps_a_black_image_flat():
    assert set(np.unique(normalise(np.zeros((40, 40), np.uint8), 8))) == {128}


def test_flat_field_is_one_where_light_is_merely_uneven():
    ramp = np.tile(np.linspace(60, 200, 400), (100, 1)).astype(np.uint8)
    assert np.abs(flat_field(ramp, 20)[:, 100:-100] - 1).max() < 0.05


def test_smooth_on_shrunken_image_equals_plain_blur():
    import cv2

    image = _textured().astype(np.float32)
    plain = cv2.GaussianBlur(image, (0, 0), 16, borderType=cv2.BORDER_REFLECT)
    assert np.abs(smooth(image, 16) - plain).max() < 1.0


def test_robust_spread_ignores_a_tenth_of_outliers():
    values = np.random.default_rng(0).normal(5, 2, 10_000).astype(np.float32)
    values[:1000] = 1e4
    median, sigma = robust_spread(values)
    assert abs(median - 5) < 0.5
    assert abs(sigma - 2) < 0.5


@pytest.mark.parametrize(
    "image",
    [np.zeros((10, 10, 3), np.uint8), np.zeros((10, 10), np.uint16), np.zeros((2, 10), np.uint8)],
    ids=["colour", "16 bit", "two rows"],
)
def test_normalise_refuses_what_is_no_grey_image(image):
    with pytest.raises(DataError, match="grey uint8"):
        normalise(image, 8)
