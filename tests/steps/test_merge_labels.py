"""Inspectors' boxes and the current model's masks become labels."""

import json

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage, Annotations, Box
from glassline.data.captures.store import open_captures
from glassline.data.captures.zone_list import write_zone_list
from glassline.data.labels import read_labels
from glassline.errors import DataError, SettingsError, StorageError
from glassline.steps.merge_labels import merge_labels
from glassline.tracking import client


def _drawn(truths, shifts_px, label="scratch", status="wiped"):
    """Return the boxes that an inspector draws on the marked zones, one around all scratches of each."""
    images = []
    for number, (scratches_HW, (dx, dy)) in enumerate(zip(truths, shifts_px, strict=True)):
        x, y, width, height = cv2.boundingRect(scratches_HW.astype(np.uint8))
        boxes = [Box(label, (x + dx - 3, y + dy - 3, width + 6, height + 6), status)] if width else []
        images.append(AnnotatedImage(f"G{number:04d}_marked_00.png", scratches_HW.shape[::-1], boxes))
    return Annotations(images, (label,))


def _merge(folder, annotations, tmp_path, form="coco", **merge):
    file = FORMATS[form].write(annotations, tmp_path / "drawn")
    out = tmp_path / "out" / "labels.json"
    return merge_labels(_listed(folder), str(file), "", form, "classical", merge, str(out)), out


def _listed(folder):
    captures = open_captures(folder)
    return write_zone_list(captures, captures.zones()).url


def _metrics():
    experiment = client().get_experiment_by_name("glassline").experiment_id
    return client().search_runs([experiment])[0].data.metrics


@pytest.mark.parametrize("form", ["coco", "voc", "cvat"])
def test_merge_labels_the_clean_zone_where_the_marked_one_was_drawn_on(marked_captures, tmp_path, form):
    shifts_px = [(3.5, -2.25)]
    folder, truths = marked_captures(shifts_px, scratches=1)
    content, out = _merge(folder, _drawn(truths, shifts_px), tmp_path, form)
    labels = read_labels(out)
    (item,) = labels.zones[0].objects
    runs = {**item.segmentation, "counts": item.segmentation["counts"].encode()}
    mask_HW = coco_mask.decode(runs) > 0
    assert (mask_HW & truths[0]).sum() / (mask_HW | truths[0]).sum() > 0.7
    assert (item.label, item.status, labels.classes) == ("scratch", "wiped", ("scratch", "control"))
    assert (labels.content_hash(), labels.captures) == (content, str(folder))
    assert labels.captures_hash == open_captures(folder).content_hash([labels.zones[0].ref])


def test_merge_is_the_same_twice_and_logs_agreement(marked_captures, tmp_path):
    folder, truths = marked_captures([(0, 0), (0, 0)])
    annotations = _drawn(truths, [(0, 0)] * 2, status="contested")
    assert _merge(folder, annotations, tmp_path)[0] == _merge(folder, annotations, tmp_path)[0]
    metrics = _metrics()
    assert (metrics["boxes"], metrics["boxes_contested"], metrics["zones"]) == (2, 2, 2)
    assert 0 < metrics["iou_model_final_all"] <= 1
    assert -1 <= metrics["kappa_all"] <= 1


def test_zone_listed_without_a_box_is_clean_and_one_not_listed_is_left_out(marked_captures, tmp_path):
    folder, truths = marked_captures([(40, 0), (0, 0)], scratches=0)
    _, out = _merge(folder, _drawn(truths[:1], [(0, 0)]), tmp_path)
    assert [(zone.glass, zone.objects) for zone in read_labels(out).zones] == [("G0000", ())]
    assert _metrics()["zones_not_looked_at"] == 1


def test_zone_that_moved_too_far_fails_the_merge(marked_captures, tmp_path):
    shifts_px = [(0, 0), (20, 5)]
    folder, truths = marked_captures(shifts_px)
    with pytest.raises(DataError, match=r"G0001_marked_00: its marked capture must lie within 100 um .* got 20\d um"):
        _merge(folder, _drawn(truths, shifts_px), tmp_path)
    assert not (tmp_path / "out" / "labels.json").exists()


def test_zone_that_moved_too_far_may_be_left_out(marked_captures, tmp_path):
    shifts_px = [(0, 0), (20, 5)]
    folder, truths = marked_captures(shifts_px)
    _, out = _merge(folder, _drawn(truths, shifts_px), tmp_path, refused="leave-out")
    assert [zone.glass for zone in read_labels(out).zones] == ["G0000"]
    assert _metrics()["zones_refused"] == 1


def test_merge_of_refused_zones_only_fails_in_any_case(marked_captures, tmp_path):
    folder, truths = marked_captures([(20, 5)])
    with pytest.raises(DataError, match="must lie within"):
        _merge(folder, _drawn(truths, [(20, 5)]), tmp_path, refused="leave-out")


def test_class_that_is_not_asked_for_is_refused(marked_captures, tmp_path):
    folder, truths = marked_captures([(0, 0)])
    with pytest.raises(DataError, match="must be one of dent, mold, got 'scratch'"):
        _merge(folder, _drawn(truths, [(0, 0)]), tmp_path, classes=["dent", "mold"])


def test_bad_arguments_are_refused(marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    zones = _listed(folder)
    out = str(tmp_path / "labels.json")
    with pytest.raises(StorageError, match="annotations must be an existing file or folder"):
        merge_labels(zones, str(tmp_path / "none.json"), "", "coco", "classical", {}, out)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(DataError, match="well-formed JSON"):
        merge_labels(zones, str(tmp_path / "bad.json"), "", "coco", "classical", {}, out)
    empty = {"images": [], "annotations": [], "categories": []}
    (tmp_path / "empty.json").write_text(json.dumps(empty))
    with pytest.raises(DataError, match="must list at least one zone"):
        merge_labels(zones, str(tmp_path / "empty.json"), "", "coco", "classical", {}, out)
    with pytest.raises(SettingsError, match="tolerance"):
        merge_labels(zones, str(tmp_path / "empty.json"), "", "coco", "classical", {"tolerance": 1}, out)
