import pytest

from glassline.data.captures.zone_format import ZoneFormat
from glassline.errors import DataError

SIX = ZoneFormat(azimuths_deg=(0, 30, 60, 90, 120, 150), pattern="GRBG", bit_depth=12, pitch_um=10)


def test_format_of_a_zone_has_its_azimuths_rising_modulo_180(zone_meta):
    assert ZoneFormat.of(zone_meta()) == SIX
    assert ZoneFormat.of(zone_meta(azimuths_deg=(330, 180, 30, 60, 90, 300))) == SIX
    assert SIX.states == 6


def test_grey_image_has_one_state():
    assert ZoneFormat(azimuths_deg=(), pattern="mono", bit_depth=8, pitch_um=None).states == 1


def test_order_names_the_frame_of_every_light_state(zone_meta):
    assert SIX.order(zone_meta()) == [0, 1, 2, 3, 4, 5]
    assert SIX.order(zone_meta(azimuths_deg=(90, 60, 30, 0, 330, 120))) == [3, 2, 1, 0, 5, 4]


def test_order_takes_azimuths_of_a_rig_that_repeats_within_half_a_degree(zone_meta):
    assert SIX.order(zone_meta(azimuths_deg=(0.2, 30, 59.7, 90, 120, 150))) == [0, 1, 2, 3, 4, 5]
    assert SIX.order(zone_meta(azimuths_deg=(179.8, 30, 60, 90, 120, 150))) == [0, 1, 2, 3, 4, 5]


def test_order_takes_another_pitch(zone_meta):
    assert SIX.order(zone_meta(pitch_um=9.2)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"azimuths_deg": (0, 30, 60, 90, 120), "exposure_us": (900,) * 5}, "got 0, 30, 60, 90, 120; capture them all"),
        ({"azimuths_deg": (0, 30, 60, 90, 120, 140)}, "got 0, 30, 60, 90, 120, 140; capture them all"),
        ({"azimuths_deg": (0, 0, 60, 90, 120, 150)}, "got 0, 0, 60, 90, 120, 150; capture them all"),
        ({"pattern": "RGGB"}, "the pattern GRBG and 12 bit, .* got RGGB and 12 bit; train a model on such"),
        ({"pattern": "mono"}, "got mono and 12 bit"),
        ({"bit_depth": 16}, "got GRBG and 16 bit"),
    ],
)
def test_order_refuses_another_arrangement_and_names_the_zone(zone_meta, changed, told):
    with pytest.raises(DataError, match=rf"^G0001\.zarr/clean-00 must have .*{told}"):
        SIX.order(zone_meta(**changed))


def test_order_of_a_model_for_grey_images_refuses_a_capture(zone_meta):
    grey = ZoneFormat(azimuths_deg=(), pattern="mono", bit_depth=12, pitch_um=None)
    with pytest.raises(DataError, match="must have the light states of one grey image"):
        grey.order(zone_meta(pattern="mono"))
