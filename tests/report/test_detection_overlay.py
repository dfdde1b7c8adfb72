import io

import numpy as np
import pytest

from glassline.analysis.detection_tables import ImageDefects
from glassline.report.detection_marks import marks_of
from glassline.report.detection_overlay import detection_overlay

SIZE = (96, 128)


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _defects(*boxes, types=None, severities=None, probabilities=None):
    """Defects as boxes x, y, width, height."""
    index_HW, count = np.zeros(SIZE, np.int32), len(boxes)
    for number, (x, y, width, height) in enumerate(boxes, 1):
        index_HW[y : y + height, x : x + width] = number
    severity_N3 = np.full((count, 3), np.nan) if severities is None else np.array([(one,) * 3 for one in severities])
    told = np.full(count, np.nan) if probabilities is None else np.array(probabilities)
    return ImageDefects(index_HW, types or [""] * count, severity_N3, told)


def _image(size=SIZE, colour=False):
    return np.random.default_rng(0).integers(0, 256, (*size, 3) if colour else size).astype(np.uint8)


def _severity(cell_px=4, size=SIZE):
    return np.random.default_rng(0).uniform(0, 12, [-(-one // cell_px) for one in size]).astype(np.float32)


#: A hit of another type, a miss of which a little was found, a miss, a false alarm.
ANNOTATED = _defects((10, 10, 20, 20), (60, 10, 30, 30), (4, 70, 8, 8), types=["dent", "dust", "dent"])
FOUND = _defects((10, 10, 20, 16), (60, 10, 10, 30), (100, 80, 8, 8), types=["dust", "dust", "dent"],
                 severities=[9.0, 5.0, 7.0], probabilities=[0.91, 0.5, np.nan])  # fmt: skip


def _legend(fig):
    return [text.get_text() for text in fig.legends[0].get_texts()]


def test_marks_put_misses_first_then_false_alarms_and_hits():
    marks = marks_of(ANNOTATED, FOUND)
    told = [(mark.outcome, mark.bbox_px, round(mark.iou, 3)) for mark in marks]
    assert told == [
        ("miss", (60, 10, 30, 30), 0.333), ("miss", (4, 70, 8, 8), 0.0), ("false alarm", (100, 80, 8, 8), 0.0),
        ("false alarm", (60, 10, 10, 30), 0.333), ("hit", (10, 10, 20, 16), 0.8),
    ]  # fmt: skip
    assert (marks[-1].type, marks[-1].annotated) == ("dust", "dent")


def test_marks_without_annotation_are_found_the_most_severe_first():
    assert [(mark.outcome, mark.severity_max) for mark in marks_of(None, FOUND)] == [
        ("found", 9.0), ("found", 7.0), ("found", 5.0),
    ]  # fmt: skip


def test_overlay_counts_outcomes_and_tells_them_by_colour_and_dash():
    fig = _draw(detection_overlay(_image(), _severity(), 4, ANNOTATED, FOUND, "image 1"))
    assert _legend(fig) == ["hit (1)", "miss (2)", "false alarm (2)", "annotated outline"]
    looks = [(patch.get_edgecolor(), patch.get_linestyle()) for patch in fig.axes[0].patches]
    assert len(set(looks)) == len({look[0] for look in looks}) == len({look[1] for look in looks}) == 3


def test_overlay_names_type_probability_and_severity():
    annotated = _defects((10, 10, 20, 20), types=["dent"])
    found = _defects((10, 10, 20, 16), types=["dust"], severities=[9.0], probabilities=[0.91])
    fig = detection_overlay(_image(), _severity(), 4, annotated, found, "one")
    assert [text.get_text() for text in fig.axes[0].texts] == ["1 dust 0.91 · 9.0"]
    assert fig.axes[2].get_title(loc="left") == "1 hit, IoU 0.80\ndust 0.91 (is dent)\nseverity 9.0, mean 9.0"


@pytest.mark.parametrize(("annotated", "text"), [(_defects(), "no defect, and none found"), (None, "no defect found")])
def test_overlay_says_so_when_nothing_is_there(annotated, text):
    fig = _draw(detection_overlay(_image(), 0 * _severity(), 4, annotated, _defects(), "$a$ image"))
    assert text in [one.get_text() for axes in fig.axes for one in axes.texts]


def test_overlay_numbers_many_and_shows_four_close_up():
    found = _defects(*[(index % 10 * 12, index // 10 * 9, 8, 4) for index in range(100)])
    fig = _draw(detection_overlay(_image(), _severity(), 4, None, found, "image 1"))
    assert (len(fig.axes[0].patches), len(fig.axes[0].texts)) == (100, 24)
    assert sum(bool(axes.get_title(loc="left")) for axes in fig.axes) == 4


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("size", "cell_px"), [((1, 1), 4), ((5, 3), 1), ((100, 90), 2), ((2003, 301), 4)])
def test_overlay_draws_grey_and_colour_of_any_size(colour, size, cell_px):
    everywhere = ImageDefects(np.ones(size, np.int32), ["dent"], np.full((1, 3), 6.0), np.ones(1))
    fig = _draw(detection_overlay(_image(size, colour), _severity(cell_px, size), cell_px, everywhere, everywhere, "a"))
    assert _legend(fig)[0] == "hit (1)"
    left, right = fig.axes[0].get_xlim()
    assert (left, right) == (-0.5, size[1] - 0.5)


def test_overlay_keeps_the_one_severe_cell_of_a_large_image():
    severity_RC = np.zeros((1000, 1000), np.float32)
    severity_RC[999, 501] = 12
    nothing = ImageDefects(np.zeros((4000, 4000), np.int32), [], np.zeros((0, 3)), np.zeros(0))
    fig = detection_overlay(np.zeros((4000, 4000), np.uint8), severity_RC, 4, nothing, nothing, "large")
    image, shade = fig.axes[0].images
    assert image.get_array().shape == (800, 800)
    assert (np.count_nonzero(shade.get_array()), shade.get_array().max()) == (1, 12)
