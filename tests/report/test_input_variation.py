"""Figures and the report's section on how alike classes are."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from glassline.analysis.input_variation import input_variation
from glassline.errors import DataError
from glassline.report.input_variation import input_sections, pairs_figure, variation_figure, write_input_variation
from glassline.report.page import write_page

_SAMPLES = [("dent", "a", 0), ("dent", "b", 1), ("mold", "c", 3), ("mold", "d", 7), ("$pit$", "e", 4)]


def _found(samples=_SAMPLES):
    rows = pd.DataFrame(samples, columns=["label", "group", "place"])
    rows["id"] = [f"p{number}" for number in range(len(rows))]
    patches = np.random.default_rng(0).integers(0, 256, (len(rows), 32, 32), dtype=np.uint8)
    found = input_variation(rows, rows[["place"]].to_numpy(), tuple(dict.fromkeys(rows["label"])))
    return found, dict(zip(rows["id"], patches, strict=True))


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def test_matrix_tells_every_distance_and_frames_classes_nearer_than_the_own():
    matrix, spread = variation_figure(_found()[0]).axes
    assert _texts(matrix) == ["1.00", "2.50", "3.50", "4.00", "4.00", "2.00", "3.00", "1.00", "–"]
    frames = [patch for patch in matrix.patches if isinstance(patch, Rectangle)]
    assert [(round(frame.get_x() + 0.44), round(frame.get_y() + 0.42)) for frame in frames] == [(0, 1), (2, 1)]
    assert _texts(spread)[:2] == ["0%", "chance 75%"]


def test_what_cannot_be_measured_is_a_dash():
    matrix, spread = variation_figure(_found([("dent", "a", 0), ("mold", "a", 1)])[0]).axes
    assert _texts(matrix) == ["–"] * 4
    assert _texts(spread).count("–") == 6


def test_gallery_shows_both_samples_of_each_pair_with_classes_and_distance():
    found, thumbnails = _found()
    shown = [axes for axes in pairs_figure(found.pairs, thumbnails).axes if axes.images]
    assert len(shown) == len(found.pairs)
    for axes, one in zip(shown, found.pairs.itertuples(), strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), thumbnails[one.id])
        np.testing.assert_array_equal(axes.images[1].get_array(), thumbnails[one.other_id])
        assert [text.replace("\\", "") for text in _texts(axes)] == [one.label, one.other_label]
        assert axes.get_title() == f"distance {one.distance:.2f}"


def test_gallery_says_that_there_is_no_pair():
    found, thumbnails = _found([("dent", "a", 0), ("mold", "a", 1)])
    texts = [text for axes in pairs_figure(found.pairs, thumbnails).axes for text in _texts(axes)]
    assert texts == ["no pair of different groups"] * 2


@pytest.mark.parametrize("samples", [_SAMPLES, [("dent", "a", 0), ("mold", "a", 1)]])
def test_page_shows_the_section(samples, content, tmp_path):
    found, thumbnails = _found(samples)
    write_input_variation(found, thumbnails, tmp_path)
    sections = input_sections(tmp_path)
    write_page(content(sections=sections), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    for part in ("how alike classes are", "Distances of each class", "Hardest pairs", "confusable share"):
        assert part in html
    assert [len(table.rows) for table in sections[0].tables] == [len(found.classes), len(found.pairs)]


def test_note_names_the_class_that_is_confused_most_often(tmp_path):
    write_input_variation(*_found(), tmp_path)
    note = input_sections(tmp_path)[0].note.replace("\u00a0", " ")
    assert "up to 2 real patches" in note
    assert "most often so in mold: 100 %, by chance 75 %; the class nearest to it is $pit$." in note


def test_section_says_which_file_is_missing(tmp_path):
    write_input_variation(*_found(), tmp_path)
    (tmp_path / "pairs.parquet").unlink()
    with pytest.raises(DataError, match=r"missing: pairs\.parquet; run analyse_inputs again"):
        input_sections(tmp_path)
