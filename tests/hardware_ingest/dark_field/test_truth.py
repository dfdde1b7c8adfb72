import numpy as np
import pytest
from pycocotools import mask as coco_mask

from hardware_ingest.dark_field.contaminants import Grain
from hardware_ingest.dark_field.scatter import Mark, even_lobe, flank_lobe
from hardware_ingest.dark_field.scene import SceneSettings, make_scene
from hardware_ingest.dark_field.truth import MASK_FROM, _runs, drawn_boxes, true_objects
from hardware_ingest.zones import ZoneGrid


def mask(item):
    return coco_mask.decode(dict(item.label.segmentation)).astype(bool)


def runs_by_hand(inside):
    runs, now = [0], False
    for pixel in inside:
        if pixel != now:
            runs.append(0)
            now = pixel
        runs[-1] += 1
    return runs


@pytest.mark.parametrize("pixels", [[3], [0, 1, 2], [0, 2, 3, 9], [9], list(range(10))])
def test_run_lengths_are_those_counted_by_hand(pixels):
    inside = [number in pixels for number in range(10)]
    assert _runs(np.array(pixels), 10) == runs_by_hand(inside)


def test_mask_covers_what_is_bright_and_nothing_else(see, flank, line):
    place = see(Mark("scratch", "triangular", line(40.0, length_mm=0.8), 50, flank))
    (item,) = true_objects(place)
    brightest_HW = np.max([place.rate((state, state + 6), 0.0) for state in range(6)], axis=0)
    bright_HW = brightest_HW >= MASK_FROM * brightest_HW.max()
    # No pixel's centre lies on the very peak, so a few are on the other side of the share.
    assert (mask(item) != bright_HW).sum() <= 0.02 * bright_HW.sum()


def test_box_is_the_frame_of_the_mask(see, flank, line):
    (item,) = true_objects(see(Mark("scratch", "triangular", line(40.0), 50, flank)))
    rows, columns = np.nonzero(mask(item))
    x, y, width, height = item.label.bbox
    assert (x, y) == (columns.min(), rows.min())
    assert (x + width, y + height) == (columns.max() + 1, rows.max() + 1)


def test_truth_holds_contaminants_but_no_ink_and_no_crumbs(see, line):
    grain, crumb = Grain(1, 1, ((0, 0, 0.03),)), Grain(0.5, 0.5, ((0, 0, 0.001),))
    marks = [
        Mark(label, "", shape, 9, even_lobe(0)) for label, shape in (("dust", grain), ("dust", crumb), ("pen", line(0)))
    ]
    assert [item.label.label for item in true_objects(see(*marks))] == ["dust"]


def test_truth_of_glass_without_marks_is_empty(see):
    assert true_objects(see()) == []


def test_defect_across_the_border_of_two_zones_has_its_mask_in_each():
    grid = ZoneGrid(columns=2, rows=1, width_px=256, height_px=256, overlap_px=64)
    found = 0
    for number in range(60):
        one = make_scene(SceneSettings(seed=1, glass=number, grid=grid))
        left, right = (true_objects(one.place(zone.x_mm, zone.y_mm)) for zone in grid.zones())
        both = {id(item.mark) for item in left} & {id(item.mark) for item in right}
        for item in (item for item in left if id(item.mark) in both and item.mark.label == "scratch"):
            (other,) = [other for other in right if other.mark is item.mark]
            overlap = [mask(item)[:, -60:-4].sum(), mask(other)[:, 4:60].sum()]
            assert abs(overlap[0] - overlap[1]) <= 0.3 * max(overlap) + 20  # the errors of the moves differ
            found += 1
    assert found >= 3


def test_boxes_of_the_inspector_lie_loosely_around_each_defect(see, line):
    lobe = flank_lobe(5, 0.05, 0)
    objects = true_objects(
        see(Mark("scratch", "", line(40.0), 50, lobe), Mark("dust", "", Grain(1, 1, ((0, 0, 0.03),)), 50, lobe))
    )
    (box,) = drawn_boxes(objects, 200, 180, np.random.default_rng(0))
    x, y, width, _ = objects[0].label.bbox
    assert 0 < x - box.bbox[0] <= 7
    assert 0 < box.bbox[0] + box.bbox[2] - (x + width) <= 7
    assert 0 < y - box.bbox[1] <= 7


def test_boxes_of_the_inspector_are_confirmed_wiped_or_under_the_microscope(see, flank, line):
    objects = true_objects(see(Mark("scratch", "", line(40.0), 50, flank))) * 300
    boxes = drawn_boxes(objects, 200, 180, np.random.default_rng(0))
    share = {
        status: sum(box.status == status for box in boxes) / 300 for status in ("confirmed", "wiped", "microscope")
    }
    assert share == pytest.approx({"confirmed": 0.80, "wiped": 0.12, "microscope": 0.08}, abs=0.05)
