import io

import numpy as np
import pytest

from glassline.report.segmentation import hits_overlay
from glassline.vision.scratches import Scratch


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _scratch(bbox_px, peak=0.9):
    return Scratch(bbox_px, peak, 1234.5, 8.0, 960.0, 4.0, 30.0)


def _zone(size=(96, 128)):
    grey_HW = np.random.default_rng(0).normal(100, 5, size).round().astype(np.uint16)
    truth_HW = np.zeros(size, bool)
    truth_HW[10, 10:30] = truth_HW[60, 10:30] = True
    return grey_HW, truth_HW


def _legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def test_overlay_counts_hits_misses_and_false_alarms():
    found = [_scratch((10, 9, 20, 3)), _scratch((90, 40, 9, 9))]
    fig = _draw(hits_overlay(*_zone(), found, 0.5, "glass 1"))
    assert _legend(fig) == ["hit (1)", "miss (1)", "false alarm (1)", "true outline"]
    assert [axes.get_title().split(",")[0] for axes in fig.axes[1:]] == ["1 miss", "2 false alarm", "3 hit"]
    assert len({patch.get_edgecolor() for patch in fig.axes[0].patches}) == 3


def test_overlay_captions_what_is_known_of_a_scratch():
    grey_HW, _ = _zone()
    fig = hits_overlay(grey_HW, None, [_scratch((10, 9, 20, 3), 0.87)], 0.5, "glass 1")
    assert fig.axes[1].get_title() == "1 scratch, peak 0.87\n1,234 µm at 30°, 4.0 σ"
    assert _legend(fig) == ["found (1)"]


@pytest.mark.parametrize(("found", "caption"), [([], "nothing found"), ([(10, 9, 20, 3)], "peak only 0.31")])
def test_overlay_says_how_near_a_miss_was(found, caption):
    grey_HW, truth_HW = _zone()
    truth_HW[60] = False
    fig = hits_overlay(grey_HW, truth_HW, [_scratch(bbox, 0.31) for bbox in found], 0.5, "glass 1")
    assert fig.axes[1].get_title() == f"1 miss, 20 px\n{caption}"


def test_overlay_outlines_truth_and_what_was_found():
    grey_HW, truth_HW = _zone()
    score_hw = np.zeros((48, 64), np.float32)
    score_hw[5, 5:15] = score_hw[30, 5:15] = 0.9
    found = [_scratch((10, 10, 20, 2)), _scratch((10, 60, 20, 2))]
    fig = _draw(hits_overlay(grey_HW, truth_HW, found, 0.5, "glass 1", score_hw))
    assert [len(axes.collections) for axes in fig.axes] == [1, 2, 2]


@pytest.mark.parametrize(("truth_known", "text"), [(True, "no scratch, and none found"), (False, "no scratch found")])
def test_overlay_says_so_when_nothing_is_there(truth_known, text):
    grey_HW = _zone()[0]
    fig = _draw(hits_overlay(grey_HW, np.zeros_like(grey_HW, bool) if truth_known else None, [], 0.5, "$a$ glass"))
    assert fig.axes[1].texts[0].get_text() == text


def test_overlay_shows_six_of_a_hundred_close_up():
    found = [_scratch((index % 10 * 12, index // 10 * 9, 8, 4), 0.5 + index / 200) for index in range(100)]
    fig = _draw(hits_overlay(_zone()[0], None, found, 0.5, "glass 1"))
    assert len(fig.axes) == 7
    assert len(fig.axes[0].patches) == 100
    assert len(fig.axes[0].texts) == 6


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 64), (1200, 300)])
@pytest.mark.parametrize("level", [0, 4095])
def test_overlay_draws_black_and_saturated_zones_of_any_size(size, level):
    height, width = size
    found = [_scratch((0, 0, width, height))]
    scores = np.ones((-(-height // 2), -(-width // 2)), np.float32)
    fig = _draw(hits_overlay(np.full(size, level, np.uint16), np.ones(size, bool), found, 0.5, "glass", scores))
    assert _legend(fig)[0] == "hit (1)"


def test_overlay_shows_of_a_long_scratch_the_likeliest_part():
    grey_HW = np.zeros((1000, 1000), np.uint16)
    score_hw = np.zeros((500, 500), np.float32)
    score_hw[np.arange(500), np.arange(500)], score_hw[300, 300] = 0.8, 0.9
    fig = hits_overlay(grey_HW, None, [_scratch((0, 0, 1000, 1000))], 0.5, "glass", score_hw)
    assert np.asarray(fig.axes[1].images[0].get_array()).shape == (240, 240)
