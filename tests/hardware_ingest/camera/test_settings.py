import pytest

from glassline.errors import SettingsError
from hardware_ingest.camera.settings import CameraSettings, loopback_camera


@pytest.mark.parametrize(
    ("pixel_format", "pattern", "bit_depth", "bytes_per_px"),
    [
        ("Mono8", "mono", 8, 1),
        ("Mono16", "mono", 16, 2),
        ("BayerGR8", "GRBG", 8, 1),
        ("BayerRG12", "RGGB", 12, 2),
        ("BayerGB10", "GBRG", 10, 2),
        ("BayerBG16", "BGGR", 16, 2),
    ],
)
def test_pixel_format_tells_pattern_and_depth(pixel_format, pattern, bit_depth, bytes_per_px):
    settings = CameraSettings.parse({"pixel_format": pixel_format})
    assert (settings.pattern, settings.bit_depth, settings.bytes_per_px) == (pattern, bit_depth, bytes_per_px)


def test_mosaic_sent_as_mono_is_what_is_stated():
    settings = loopback_camera()
    assert (settings.pattern, settings.bit_depth) == ("GRBG", 12)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"pixel_format": "Mono8", "significant_bits": 12}, "significant_bits must be <= 8 for Mono8, got 12"),
        ({"pixel_format": "BayerGR8", "mosaic": "GRBG"}, "mosaic is only for a mosaic sent as mono"),
        ({"trigger_source": "button"}, "trigger_source"),
        ({"pixel_format": "BayerGR12Packed"}, "pixel_format"),
    ],
)
def test_settings_that_contradict_are_refused(values, rule):
    with pytest.raises(SettingsError, match=rule):
        CameraSettings.parse(values)
