"""Boxes against annotated defects."""

import numpy as np
import pytest

from glassline.analysis.box_hits import box_metrics, image_hits
from glassline.errors import DataError
from glassline.vision.annotated_images import Annotated


def _annotated(*places, size_px=(100, 100)) -> Annotated:
    index_HW = np.zeros(size_px, np.int32)
    for number, place in enumerate(places, 1):
        index_HW[place] = number
    return Annotated(index_HW, ("dent",) * len(places))


DEFECT = np.s_[40:60, 40:60]


@pytest.mark.parametrize(
    ("box", "centred", "overlapped", "touched"),
    [
        ((40, 40, 20, 20), 1, 1, 1),
        ((30, 30, 40, 40), 1, 0, 1),  # IoU 400 / 1600
        ((48, 40, 26, 20), 0, 1, 1),  # IoU 240 / 680, its middle at 61
        ((30, 30, 11, 11), 0, 0, 1),  # one pixel of it
        ((30, 30, 10, 10), 0, 0, 0),
        ((0, 0, 100, 100), 1, 0, 1),
    ],
)
def test_a_box_hits_by_centre_or_by_overlap(box, centred, overlapped, touched):
    hits = image_hits(_annotated(DEFECT), [box])
    assert (hits.centred, hits.overlapped, hits.touched) == (centred, overlapped, touched)
    assert hits.hit == hits.hitting == max(centred, overlapped)
    assert (hits.defects, hits.boxes, hits.false) == (1, 1, 1 - touched)


def test_two_boxes_on_a_defect_hit_it_once():
    hits = image_hits(_annotated(DEFECT), [(40, 40, 20, 20), (45, 45, 10, 10), (0, 0, 5, 5)])
    assert (hits.hit, hits.hitting, hits.boxes, hits.false) == (1, 2, 3, 1)


def test_a_box_touches_the_pixels_of_a_defect_and_not_its_box():
    ring = _annotated(np.s_[10:90, 10:90])
    ring.index_HW[20:80, 20:80] = 0
    hits = image_hits(ring, [(40, 40, 20, 20)])
    assert (hits.touched, hits.centred, hits.false) == (0, 1, 1)


def test_a_defect_without_a_pixel_does_not_count():
    assert image_hits(Annotated(np.ones((4, 4), np.int32), ("a", "b")), []).defects == 1


def test_metrics_are_shares_over_all_images():
    hit = image_hits(_annotated(DEFECT, np.s_[0:5, 0:5]), [(40, 40, 20, 20)])
    missed = image_hits(_annotated(DEFECT), [])
    clean, alarmed = image_hits(_annotated(), []), image_hits(_annotated(), [(0, 0, 9, 9), (50, 50, 9, 9)])
    told = box_metrics([hit, missed, clean, alarmed])
    assert (told.defects, told.boxes, told.defective, told.clean) == (3, 3, 2, 2)
    assert told.hit == told.touched == told.hit_by_iou == pytest.approx(1 / 3)
    assert (told.precision, told.f1) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert (told.false_per_image, told.false_per_clean_image) == (0.5, 1.0)
    assert (told.tpr, told.tnr) == (0.5, 0.5)
    assert 0 < told.tpr_low < 0.5 < told.tpr_high < 1


def test_metrics_of_clean_images_alone_are_not_defined():
    told = box_metrics([image_hits(_annotated(), [])])
    assert np.isnan([told.hit, told.precision, told.tpr]).all()
    assert (told.f1, told.tnr) == (0, 1)


def test_iou_is_that_of_the_best_box():
    hits = [image_hits(_annotated(DEFECT), boxes) for boxes in ([(40, 40, 20, 10), (40, 40, 5, 5)], [])]
    assert [one.iou for one in hits] == [0.5, 0]
    assert box_metrics(hits).mean_iou == 0.25


def test_metrics_need_an_image():
    with pytest.raises(DataError, match="at least one image"):
        box_metrics([])
