"""Classical scratch finder."""

import numpy as np
import pytest

from glassline.errors import SettingsError
from glassline.vision.double_threshold import DoubleThresholdSettings, Segmentation, threshold
from glassline.vision.light_states import LightResponse, respond

SETTINGS = DoubleThresholdSettings(low_sigma=6, high_sigma=12, share_of_peak=0, min_area_um2=500, max_width_um=150)


def _response(strength_HW, modulation=1.0) -> LightResponse:
    strength_HW = np.asarray(strength_HW, np.float32)
    return LightResponse(strength_HW, np.full_like(strength_HW, modulation))


def _segment(frames_SHW, meta) -> Segmentation:
    return threshold(respond(frames_SHW, meta.pattern, meta.azimuths_deg), meta.pitch_um, DoubleThresholdSettings())


def _bar(level: float, peak: float) -> np.ndarray:
    strength_HW = np.zeros((20, 20), np.float32)
    strength_HW[8:10, 3:15] = level
    strength_HW[8, 3] = peak
    return strength_HW


def test_scratches_are_found_and_dust_is_only_a_candidate(dark_zone, zone_meta):
    frames_SHW, scratches_HW = dark_zone(seed=1)
    found = _segment(frames_SHW, zone_meta())
    assert (found.mask_HW & scratches_HW).sum() > 0.8 * scratches_HW.sum()
    assert (found.candidates_HW & ~found.mask_HW).sum() > 100
    assert 0 <= found.score_HW.min() < found.score_HW.max() <= 1
    assert not (found.mask_HW & ~found.candidates_HW).any()


def test_nothing_is_found_in_noise(dark_zone, zone_meta):
    frames_SHW, _ = dark_zone(scratches=0, dust=0)
    assert not _segment(frames_SHW, zone_meta()).candidates_HW.any()


@pytest.mark.parametrize(("level", "peak", "found"), [(7, 13, 24), (7, 11, 0), (5, 13, 0), (13, 13, 24)])
def test_component_needs_a_pixel_over_the_high_threshold_and_keeps_those_over_the_low(level, peak, found):
    assert threshold(_response(_bar(level, peak)), 10, SETTINGS).mask_HW.sum() == found


def test_component_needs_an_area_whatever_the_pitch():
    assert threshold(_response(_bar(20, 20)), 10, SETTINGS).mask_HW.any()  # 24 px of 100 um2
    assert not threshold(_response(_bar(20, 20)), 4, SETTINGS).mask_HW.any()


def test_even_component_is_no_scratch():
    found = threshold(_response(_bar(20, 20), modulation=0.1), 10, SETTINGS)
    assert (found.candidates_HW.sum(), found.mask_HW.sum()) == (24, 0)


def test_halo_of_a_bright_mark_is_left_out():
    strength_HW = np.zeros((20, 20), np.float32)
    strength_HW[7:12, 3:17], strength_HW[8:11, 3:17] = 20, 400
    settings = SETTINGS.model_copy(update={"share_of_peak": 0.3})
    assert threshold(_response(strength_HW), 10, settings).mask_HW.sum() == 3 * 14


def test_mark_wider_than_a_scratch_is_left_out():
    strength_HW = np.zeros((80, 80), np.float32)
    strength_HW[10:70, 20:60] = 50
    assert not threshold(_response(strength_HW), 10, SETTINGS).candidates_HW.any()


def test_low_threshold_over_the_high_is_refused():
    with pytest.raises(SettingsError, match="low_sigma must be <= high_sigma 14, got 15"):
        DoubleThresholdSettings.parse({"low_sigma": 15})
