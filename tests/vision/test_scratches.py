"""From score maps to scratches."""

import math

import cv2
import numpy as np
import pytest

from glassline.errors import SettingsError
from glassline.vision.scratches import FindSettings, find_scratches, scratch_mask
from glassline.vision.tiles import ZoneScores
from pipelines.retrain_settings import RetrainSettings


def _scores(lines=(), size=(400, 500), pitch_um=11.4, block_px=2, width=3, level=0.9) -> ZoneScores:
    """Return a map with lines from (x, y) to (x, y), in px of the zone."""
    score_hw = np.zeros((size[0] // block_px, size[1] // block_px), np.float32)
    y_h1, x_1w = ((at + 0.5) * block_px for at in np.ogrid[: score_hw.shape[0], : score_hw.shape[1]])
    for (x, y), (x_end, y_end) in lines:
        length = math.dist((x, y), (x_end, y_end))
        along_hw = ((x_1w - x) * (x_end - x) + (y_h1 - y) * (y_end - y)) / length
        across_hw = ((y_h1 - y) * (x_end - x) - (x_1w - x) * (y_end - y)) / length
        score_hw[(along_hw >= 0) & (along_hw <= length) & (2 * np.abs(across_hw) <= width)] = level
    return ZoneScores(score_hw, 20 * score_hw, block_px, pitch_um)


LONG = ((50, 200), (450, 200))


@pytest.mark.parametrize(("level", "peak", "found"), [(0.3, 0.8, 1), (0.3, 0.7, 0), (0.2, 0.2, 0), (0.25, 0.75, 1)])
def test_scratch_needs_the_high_threshold_somewhere_and_keeps_what_is_over_the_low(level, peak, found):
    scores = _scores([LONG], level=level)
    scores.score_hw[100, 120] = peak
    scratches = find_scratches(scores, FindSettings())
    assert [scratch.peak for scratch in scratches] == [np.float32(peak)] * found
    assert scratch_mask(scores, FindSettings()).sum() == found * np.count_nonzero(scores.score_hw)


@pytest.mark.parametrize(
    ("gap_um", "near_um", "found"), [(2000, 2280, 1), (2600, 2280, 2), (800, 1000, 1), (1200, 1000, 2)]
)
def test_marks_nearer_than_that_are_one_scratch(gap_um, near_um, found):
    gap_px = gap_um / 11.4
    lines = [((20, 100), (220, 100)), ((220 + gap_px, 100), (480 + gap_px, 100))]
    scores = _scores(lines, size=(200, 900))
    assert len(find_scratches(scores, FindSettings(near_um=near_um, least_points=8))) == found


@pytest.mark.parametrize(("length_um", "least", "found"), [(1700, 16, 1), (1200, 16, 0), (1200, 8, 1), (40, 1, 1)])
def test_lone_mark_shorter_than_its_least_points_is_noise(length_um, least, found):
    scores = _scores([((100, 100), (100 + length_um / 11.4, 100))])
    assert len(find_scratches(scores, FindSettings(least_points=least))) == found
    assert scratch_mask(scores, FindSettings(least_points=least)).any() == bool(found)


@pytest.mark.parametrize("pitch_um", [8, 10, 11.4, 15, 20])
@pytest.mark.parametrize("angle_deg", [0, 0.3, 1, 3, 20, 45, 89.5, 90, 135])
def test_the_pipelines_clusters_hold_a_straight_scratch_whole(angle_deg, pitch_um):
    find, length_px = RetrainSettings().find, 1000 / pitch_um
    size = 2 * math.ceil(length_px / 2 + 20)
    along = (math.cos(math.radians(angle_deg)) * length_px / 2, math.sin(math.radians(angle_deg)) * length_px / 2)
    for middle in (size / 2, size / 2 + 3.3):
        ends = ((middle - along[0], middle - along[1]), (middle + along[0], middle + along[1]))
        scores = _scores([ends], size=(size + 40, size + 40), pitch_um=pitch_um, width=46 / pitch_um)
        (scratch,) = find_scratches(scores, find)
        assert scratch.length_um == pytest.approx(1000, rel=0.1)


def test_clusters_that_no_straight_scratch_could_make_are_refused():
    with pytest.raises(SettingsError, match=r"least_points must be at most 4, 1\.5 near_um / coarse_um, .* got 8"):
        FindSettings.parse({"near_um": 285, "least_points": 8})


def test_cells_that_are_larger_than_what_is_near_are_refused():
    with pytest.raises(SettingsError, match="near_um must be >= coarse_um 912, got 100"):
        FindSettings.parse({"coarse_um": 912, "near_um": 100, "least_points": 1})


def test_cells_are_as_large_as_stated():
    scores = _scores([((96, 100), (210, 100))])  # 1.3 mm: 15 cells of 91 um, 29 of 46
    assert [len(find_scratches(scores, FindSettings(coarse_um=um))) for um in (91.2, 45.6)] == [0, 1]


@pytest.mark.parametrize("ends", [((50, 200), (450, 200)), ((60, 50), (340, 350)), ((250, 20), (251, 380))])
def test_straight_scratch_is_measured(ends):
    (x, y), (x_end, y_end) = ends
    (scratch,) = find_scratches(_scores([ends], width=6), FindSettings())
    assert scratch.length_um == pytest.approx(11.4 * math.dist(*ends), rel=0.03)
    assert scratch.width_um == pytest.approx(11.4 * 6, rel=0.35)  # whole pixels of 23 um
    assert scratch.direction_deg == pytest.approx(np.degrees(math.atan2(y_end - y, x_end - x)), abs=1)
    assert scratch.bbox_px == pytest.approx((x, y, x_end - x, y_end - y), abs=8)
    assert scratch.contrast_sigma == pytest.approx(18)


def test_curved_scratch_is_as_long_as_its_arc():
    scores = _scores(size=(1200, 1200))
    cv2.ellipse(scores.score_hw, (300, 300), (250, 250), 0, 20, 200, (0.9,), 2)
    (scratch,) = find_scratches(scores, FindSettings())
    assert scratch.length_um == pytest.approx(math.pi * 250 * 22.8, rel=0.03)


def test_gap_counts_for_the_length_and_not_for_the_area():
    scores = _scores([LONG])
    whole = find_scratches(scores, FindSettings())[0]
    scores.score_hw[:, 100:140] = 0
    (broken,) = find_scratches(scores, FindSettings())
    assert broken.length_um == pytest.approx(whole.length_um, rel=0.01)
    assert broken.area_um2 == pytest.approx(whole.area_um2 * 161 / 201, rel=0.01)


@pytest.mark.parametrize("pitch_um", [5.7, 8.0, 15.0, 22.8])
def test_same_scratch_at_another_pitch_measures_the_same(pitch_um):
    ends_um = [((500, 600), (4000, 2600)), ((500, 6000), (1000, 6000))]  # the short one is noise

    def seen(at_um):
        lines = [[(x / at_um, y / at_um) for x, y in ends] for ends in ends_um]
        return find_scratches(_scores(lines, (round(8000 / at_um),) * 2, at_um, width=60 / at_um), FindSettings())

    (scratch,), (again,) = seen(11.4), seen(pitch_um)
    assert again.length_um == pytest.approx(scratch.length_um, rel=0.03)
    assert again.direction_deg == pytest.approx(scratch.direction_deg, abs=1)
    assert np.multiply(again.bbox_px, pitch_um) == pytest.approx(np.multiply(scratch.bbox_px, 11.4), abs=100)


def test_likeliest_scratch_comes_first_and_crossing_ones_are_one():
    apart = _scores([((20, 20), (400, 20))], (800, 800))
    apart.score_hw[350, 20:200] = 1
    assert [scratch.bbox_px[1] > 400 for scratch in find_scratches(apart, FindSettings())] == [True, False]
    assert len(find_scratches(_scores([LONG, ((250, 50), (250, 350))]), FindSettings())) == 1


@pytest.mark.parametrize("size", [(2, 2), (64, 64), (1024, 1200)])
def test_zone_that_is_over_the_threshold_everywhere_is_one_scratch_as_large_as_itself(size):
    everywhere = ZoneScores(np.ones(size, np.float32), np.ones(size, np.float32), 2, 11.4)
    (scratch,) = find_scratches(everywhere, FindSettings(least_points=1))
    assert scratch.bbox_px == (0, 0, 2 * size[1], 2 * size[0])
    assert scratch.length_um == pytest.approx(22.8 * math.hypot(*size), rel=0.35)
    assert scratch_mask(everywhere, FindSettings(least_points=1)).all()


def test_many_cells_are_joined_as_few_are():
    rng = np.random.default_rng(0)
    scores = _scores([((50, 50), (1500, 50)), ((50, 1700), (90, 1700))], (2400, 2400))
    scores.score_hw[300:600, :1000] = 0.9 * (rng.random((300, 1000)) < 0.3)  # some 19 000 cells
    labels = [(scratch.bbox_px[1] < 200) for scratch in find_scratches(scores, FindSettings())]
    assert sorted(labels) == [False, True]  # the line and the field; the short mark is noise


def test_nothing_over_the_threshold_is_no_scratch():
    assert find_scratches(_scores(), FindSettings()) == []
    assert not scratch_mask(_scores(), FindSettings()).any()


def test_low_over_high_is_refused():
    with pytest.raises(SettingsError, match=r"low must be <= high 0\.5, got 0\.6"):
        FindSettings.parse({"low": 0.6, "high": 0.5})
