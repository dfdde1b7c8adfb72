"""Figures of detected defects."""

import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from glassline.analysis.detection import detection_metrics, hit_curve, type_metrics
from glassline.analysis.detection_tables import DetectionTables, ImageDefects
from glassline.errors import DataError
from glassline.vision.defects import DefectSettings, find_defects

SIZE = (16, 20)


def _image(*boxes, types=None):
    """Defects as boxes y, x, height, width."""
    index_HW = np.zeros(SIZE, np.int32)
    for number, (y, x, height, width) in enumerate(boxes, 1):
        index_HW[y : y + height, x : x + width] = number
    return ImageDefects.annotated(index_HW, types or ["dent"] * len(boxes))


#: One defect hit at IoU 0.8, one at 0.4 with another type, one missed; a false alarm; a clean and a suspected image.
PAIRS = (
    (_image((0, 0, 4, 10), (8, 0, 4, 10), types=["dent", "dust"]),
     _image((0, 0, 4, 8), (8, 0, 4, 4), (13, 15, 2, 2), types=["dent", "dent", "dust"])),
    (_image((4, 4, 5, 5), types=["dust"]), _image()),
    (_image(), _image()),
    (_image(), _image((1, 1, 2, 2), types=["dust"])),
)  # fmt: skip


def _tables(pairs=PAIRS):
    tables = DetectionTables()
    for number, (annotated, found) in enumerate(pairs):
        tables.add(f"{number}.png", annotated, found)
    return tables


def _loop(pairs):
    found = annotated = both = 0
    ious = []
    for one, other in pairs:
        pairs_of = list(zip(one.index_HW.ravel() > 0, other.index_HW.ravel() > 0, strict=True))
        inter, union = sum(a and b for a, b in pairs_of), sum(a or b for a, b in pairs_of)
        annotated, found = annotated + sum(a for a, _ in pairs_of), found + sum(b for _, b in pairs_of)
        both += inter
        if one.index_HW.any():
            ious.append(inter / union)
    return sum(ious) / len(ious), both / found, both / annotated


def test_metrics_match_plain_loops_over_pixels():
    told = detection_metrics(_tables())
    assert (told.mean_iou, told.precision, told.recall) == pytest.approx(_loop(PAIRS))
    assert told.f1 == pytest.approx(2 * told.precision * told.recall / (told.precision + told.recall))


def test_average_recall_is_the_integral_of_recall_over_iou():
    told = detection_metrics(_tables())
    assert told.ar == pytest.approx(2 / 3 * (0.8 - 0.5))
    rows = hit_curve(_tables(), with_type=False, steps=20_000)
    upper = rows[rows["iou"] >= 0.5]
    assert told.ar == pytest.approx(2 * np.trapezoid(upper["recall"], upper["iou"]), abs=1e-3)


def test_images_are_rejected_when_anything_is_found():
    told = detection_metrics(_tables())
    assert (told.rejected, told.defective, told.tpr) == (1, 2, 0.5)
    assert (told.passed, told.clean, told.tnr) == (1, 2, 0.5)
    assert told.tnr_low == pytest.approx(0.0945, abs=1e-4)


@pytest.mark.parametrize(
    ("iou", "with_type", "recall", "precision"),
    [(0, False, 2 / 3, 2 / 4), (0.4, False, 2 / 3, 2 / 4), (0.41, False, 1 / 3, 1 / 4), (0.4, True, 1 / 3, 1 / 4),
     (0.8, True, 1 / 3, 1 / 4), (0.81, False, 0, 0)],
)  # fmt: skip
def test_curve_counts_hits_of_an_iou(iou, with_type, recall, precision):
    row = hit_curve(_tables(), with_type).set_index("iou").loc[iou]
    assert row[["recall", "precision"]].tolist() == pytest.approx([recall, precision])


def test_curve_of_equal_defects_is_one_to_the_end():
    one = PAIRS[0][0]
    assert (hit_curve(_tables([(one, one)]), with_type=True)[["recall", "precision", "f1"]] == 1).all(axis=None)


def test_types_of_hits_make_the_confusion_matrix():
    told = type_metrics(_tables(), ["dent", "dust"], least_iou=0.3)
    assert told.confusion.tolist() == confusion_matrix(["dent", "dust"], ["dent", "dent"]).tolist()


def test_types_are_not_told_without_a_hit():
    assert type_metrics(_tables(PAIRS[1:]), ["dent", "dust"]) is None


def test_tables_tell_each_defect_and_its_match():
    tables = _tables()
    columns = ["image", "defect", "type", "x_px", "y_px", "width_px", "height_px", "area_px", "partner", "iou",
               "other_type"]  # fmt: skip
    assert tables.annotated[columns].to_numpy().tolist()[1] == ["0.png", 2, "dust", 0, 8, 10, 4, 40, 2, 0.4, "dent"]
    assert tables.found[columns].to_numpy().tolist()[2] == ["0.png", 3, "dust", 15, 13, 2, 2, 4, 0, 0, ""]


def test_tables_pass_through_parquet(tmp_path):
    for tables in (_tables(), DetectionTables()):
        for name in ("images", "annotated", "found"):
            rows = getattr(tables, name)
            rows.to_parquet(tmp_path / "rows.parquet")
            pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "rows.parquet"), rows)


def test_found_defects_are_drawn_with_their_severity():
    severity_RC = np.zeros((4, 5), np.float32)
    severity_RC[0, 0], severity_RC[3, 3:] = 6, (9, 10)
    found = ImageDefects.found(
        find_defects(severity_RC, 4, (15, 19), DefectSettings(threshold=4)), 4, (15, 19), ["dent", "dust"]
    )
    assert np.bincount(found.index_HW.ravel()).tolist() == [15 * 19 - 16 - 21, 21, 16]
    assert found.severity_N3[:, 0].tolist() == [10, 6]


def test_hidden_defect_is_left_out():
    index_HW = np.full(SIZE, 2, np.int32)
    rows = _tables([(ImageDefects.annotated(index_HW, ["dent", "dust"]), _image())]).annotated
    assert rows["defect"].tolist() == [2]


def test_clean_images_alone_have_no_recall():
    told = detection_metrics(_tables([PAIRS[2]]))
    assert all(map(math.isnan, (told.ar, told.mean_iou, told.precision, told.recall, told.tpr)))
    assert (told.tnr, told.f1) == (1, 0)
    assert hit_curve(_tables([PAIRS[2]]), with_type=False)["recall"].isna().all()


def test_no_image_at_all_is_refused():
    with pytest.raises(DataError, match="at least one image"):
        detection_metrics(DetectionTables())


def test_defects_without_a_type_are_refused():
    bad = ImageDefects(np.ones(SIZE, np.int32), [], np.zeros((1, 3)), np.zeros(1))
    with pytest.raises(DataError, match="every defect must have a type"):
        DetectionTables().add("a.png", bad, _image())
