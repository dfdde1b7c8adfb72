import io

import numpy as np
import pytest

from glassline.report.heat_map import HeatPanel, heat_map_figure
from glassline.vision.annotated_images import Annotated
from glassline.vision.heat_map import Box, HeatMap, HeatSettings

SETTINGS = HeatSettings(window_px=32, step_px=16)


def _panel(size_px=(64, 96), boxes=((10, 20, 30, 40),), value=0.5):
    counts = [len({*range(0, max(size - 32, 0), 16), max(size - 32, 0)}) for size in size_px]
    heat = HeatMap(np.full(counts, value, np.float32), size_px, SETTINGS)
    return HeatPanel("heat map", heat, 0.4, [Box(box, 0.9, 0.7, 100) for box in boxes])


def _draw(fig):
    fig.savefig(io.BytesIO(), format="png", dpi=40)
    return fig


def _annotated(place, size_px=(64, 96)):
    index_HW = np.zeros(size_px, np.int32)
    index_HW[place] = 1
    return Annotated(index_HW, ("dent",))


def test_heat_map_figure_draws_boxes_in_px_of_the_image():
    fig = _draw(heat_map_figure(np.zeros((64, 96), np.uint8), [_panel()], None, "a.png"))
    box = fig.axes[1].patches[0]
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (9.5, 19.5, 30, 40)
    assert [text.get_text() for text in fig.axes[1].texts] == ["0.90"]
    assert fig.axes[1].get_title("left") == "heat map, boxes from 0.40"
    assert len(fig.axes) == 3  # image, heat, bar


def test_heat_map_figure_outlines_what_is_annotated_on_every_panel():
    truth = _annotated(np.s_[10:30, 40:60])
    fig = _draw(heat_map_figure(np.zeros((64, 96), np.uint8), [_panel(), _panel()], truth, "a.png"))
    for axes in fig.axes[:3]:
        (line,) = axes.lines
        assert (min(line.get_xdata()), max(line.get_xdata())) == (40, 59)
        assert (min(line.get_ydata()), max(line.get_ydata())) == (10, 29)


@pytest.mark.parametrize("place", [np.s_[:], np.s_[:0]])
def test_heat_map_figure_draws_masks_of_one_value(place):
    fig = _draw(heat_map_figure(np.zeros((64, 96), np.uint8), [_panel()], _annotated(place), "a.png"))
    assert len(fig.axes[0].lines) == (place == np.s_[:])


def test_heat_map_figure_keeps_ticks_of_a_large_image():
    size_px = (1000, 2001)
    fig = heat_map_figure(np.zeros(size_px, np.uint8), [_panel(size_px)], None, "a.png")
    shown, heat = fig.axes[0].images[0], fig.axes[1].images[1]
    assert shown.get_array().shape == (450, 900)
    assert heat.get_array().shape == (334, 667)
    assert fig.axes[1].get_xlim() == (-0.5, 2000.5)


def test_heat_map_figure_names_the_hottest_boxes_alone():
    boxes = [(number, 0, 5, 5) for number in range(12)]
    fig = _draw(heat_map_figure(np.zeros((64, 96), np.uint8), [_panel(boxes=boxes)], None, "a$b$.png"))
    assert (len(fig.axes[1].patches), len(fig.axes[1].texts)) == (12, 8)


def test_heat_map_figure_draws_colour_and_no_box():
    fig = _draw(heat_map_figure(np.zeros((64, 96, 3), np.uint8), [_panel(boxes=(), value=1.7)], None, "a.png"))
    assert fig.axes[1].images[1].get_array().max() == 1
