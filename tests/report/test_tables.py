import math

import numpy as np
import pandas as pd
import pytest

from glassline.report.tables import as_table, rows_of, share


def _cell(name, value):
    return as_table([{name: value}]).rows[0][0]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("accuracy", 0.97389, "0.9739"),
        ("mcnemar_p", 3e-9, "< 0.0001"),
        ("p", 0.0412345, "0.0412"),
        ("chi_square", 412.2193, "412.2"),
        ("samples", 115194, "115,194"),
        ("samples", np.int64(1200), "1,200"),
        ("samples", 1200.0, "1,200"),
        ("promoted", True, "yes"),
        ("promoted", np.False_, "no"),
        ("accuracy", math.nan, "–"),
        ("accuracy", None, ""),
        ("model", "cnn", "cnn"),
    ],
)
def test_table_shows_values_as_a_reviewer_reads_them(name, value, text):
    assert _cell(name, value).text == text


def test_table_marks_the_best_score_only_where_rows_compete():
    rows = [{"model": "a", "macro_f1": 0.7}, {"model": "b", "macro_f1": 0.9}]
    assert [row[1].best for row in as_table(rows, mark_best=True).rows] == [False, True]
    assert [row[1].best for row in as_table(rows).rows] == [False, False]


def test_table_marks_nothing_when_one_row_stands_alone():
    assert not as_table([{"accuracy": 0.9}], mark_best=True).rows[0][0].best


def test_table_leaves_a_value_empty_that_a_row_lacks():
    table = as_table([{"model": "a"}, {"model": "b", "p": 0.5}])
    assert [cell.text for cell in table.rows[0]] == ["a", ""]


def test_table_gives_scores_a_bar_and_other_figures_none():
    assert _cell("dent_recall", 0.5).percent == 50
    assert _cell("difference", 0.5).percent is None


def test_table_heads_columns_in_words():
    assert as_table([{"macro_f1": 1.0, "chi_square_dof": 3}]).headings == ("macro F1", "χ² d.f.")


def test_table_is_empty_without_rows():
    assert as_table([]).rows == ()


def test_rows_of_a_table_are_named_by_its_columns():
    assert rows_of(pd.DataFrame({"a": [1, 2], 3: ["x", "y"]})) == [{"a": 1, "3": "x"}, {"a": 2, "3": "y"}]


def test_share_of_none_is_none():
    assert share(0, 0, np.nan, 0, 1) == "none"
