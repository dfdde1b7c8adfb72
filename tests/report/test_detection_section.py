from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.detection_tables import DetectionTables, ImageDefects
from glassline.analysis.repeatability import repeatability
from glassline.analysis.threshold import MeanIouCurve
from glassline.errors import DataError
from glassline.report.detection import detection_figures
from glassline.report.detection_result import DetectionResult, list_defects
from glassline.report.detection_section import detection_sections
from glassline.report.page import write_page

SIZE = (16, 20)
TYPES = ["dent", "dust"]


def _image(*boxes, types=(), severity=np.nan):
    """Defects as boxes y, x, height, width."""
    index_HW = np.zeros(SIZE, np.int32)
    for number, (y, x, height, width) in enumerate(boxes, 1):
        index_HW[y : y + height, x : x + width] = number
    count = len(boxes)
    return ImageDefects(index_HW, types or [""] * count, np.full((count, 3), severity), np.full(count, 0.75))


def _full():
    """A hit and a miss on one image, a false alarm on another, clean, one."""
    tables = DetectionTables()
    tables.add("hit", _image((0, 0, 4, 10), (8, 0, 4, 10), types=["dent", "dust"], severity=8.0),
               _image((0, 0, 4, 8), types=["dust"], severity=6.0))  # fmt: skip
    tables.add("alarm", _image(), _image((1, 1, 2, 2), types=["dust"], severity=5.0))
    return tables


def _result(**replaced):
    curve = MeanIouCurve()
    curve.add(np.full((4, 5), 6.0), np.ones(SIZE, bool), 4)
    pixels = pd.DataFrame([{"tolerance_px": 2, "f1": 0.75}])
    built = DetectionResult.of(_full(), _full(), TYPES, curve.curve(), curve.best(), 385_000, pixels)
    return replace(built, **replaced)


@pytest.fixture
def sections(tmp_path):
    def build(result):
        result.write(tmp_path)
        return detection_sections(tmp_path)

    return build


def test_list_puts_misses_first_then_false_alarms_and_hits():
    rows = list_defects(_full())
    assert rows["outcome"].tolist() == ["miss", "false alarm", "hit"]
    assert rows["annotated_type"].tolist() == ["dust", "", "dent"]
    assert rows["found_type"].tolist() == ["", "dust", "dust"]
    assert rows["severity_max"].fillna(-1).tolist() == [-1, 5, 6]
    assert rows["labelled_severity_max"].fillna(-1).tolist() == [8, -1, 8]


def test_list_of_nothing_is_empty():
    assert list_defects(DetectionTables()).empty


def test_sections_compare_methods_as_the_tables_of_the_paper(sections):
    tables = sections(_result())[0].tables
    row = tables[0].rows[0]
    assert [one["method"] for one in tables[0].rows] == ["all four stages", "without classifier"]
    assert row["AR"] == pytest.approx(2 / 2 * 0.3)
    assert row["TNR"] == "0 of 1 (0.0\u00a0%, 0.0\u00a0% to 79.3\u00a0%)"
    assert [(one["variant"], one["recall"]) for one in tables[2].rows] == [
        ("without classifier", 0.5), ("all four stages", 0.5), ("all four stages, type right", 0.0),
    ]  # fmt: skip


def test_sections_show_the_confusion_of_types(sections):
    types = sections(_result())[1]
    assert types.tables[0].rows == [
        {"annotated": "dent", "found as dent": 0, "found as dust": 1},
        {"annotated": "dust", "found as dent": 0, "found as dust": 0},
    ]
    assert types.note == "Of 1 test defects that were hit, 0 were given their type."


def test_sections_tell_spread_over_captures_where_there_are_some(sections):
    told, _ = repeatability([_full(), _full()])
    severity = sections(_result(repeats=pd.DataFrame([vars(told)])))[2]
    assert "captured 2 times: 1 of 2 (50.0\u00a0%" in severity.note
    assert severity.tables[1].rows[0] == {
        "severity": "highest", "standard deviation": 0.0, "coefficient of variation": 0.0,
    }  # fmt: skip
    assert len(sections(_result())[2].tables) == 1


def test_sections_list_sixty_defects_and_say_so(sections):
    many = pd.concat([_result().defects] * 30, ignore_index=True)
    listed = sections(_result(defects=many))[-1]
    assert len(listed.tables[0].rows) == 60
    assert "30 were hit and 30 missed; 30 alarms are false" in listed.note
    assert "The first 60 are shown." in listed.note


def test_sections_stand_without_types_and_defects(sections):
    tables = DetectionTables()
    tables.add("clean", _image(), _image())
    chosen = _result().chosen
    result = DetectionResult.of(tables, tables, TYPES, _result().curve, chosen, 1)
    assert [one.title for one in sections(result)] == ["Defects", "Severity", "List of defects"]


def test_sections_show_figures_where_they_belong(sections, tmp_path, png):
    for name in ("overlay_hit_1", "overlay_miss_1", "threshold", "types", "severity"):
        (tmp_path / f"{name}.png").write_bytes(png)
    shown = sections(_result())
    assert [len(one.figures) for one in shown] == [3, 1, 1, 0]
    assert [one.caption.split(",")[0] for one in shown[0].figures[1:]] == [
        "An image with a miss",
        "An image with a hit",
    ]


def test_figures_are_those_that_the_sections_look_for():
    assert set(detection_figures(_result(), _full().annotated)) == {"threshold", "hits", "severity", "types"}


def test_page_shows_the_sections(sections, content, tmp_path):
    hostile = "<b>very long name</b> " * 9
    built = sections(_result(defects=_result().defects.assign(image=hostile)))
    write_page(content(sections=built), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in html
    for part in ("Types of defects", "mean IoU", "found as dust", "T = "):
        assert part in html


def test_result_reads_what_it_wrote(tmp_path):
    result = _result()
    result.write(tmp_path)
    read = DetectionResult.read(tmp_path)
    assert (read.chosen, read.parameters) == (result.chosen, result.parameters)
    for name in ("methods", "hits", "types", "severity", "defects", "curve"):
        pd.testing.assert_frame_equal(getattr(read, name), getattr(result, name))


def test_result_says_which_file_is_missing(tmp_path):
    _result().write(tmp_path)
    (tmp_path / "hits.parquet").unlink()
    with pytest.raises(DataError, match=r"missing: hits\.parquet; evaluate the detection again"):
        DetectionResult.read(tmp_path)
