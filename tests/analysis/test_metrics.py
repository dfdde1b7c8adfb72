import numpy as np
import pytest

from glassline.analysis.confusion_file import read_confusion, read_matching
from glassline.analysis.metrics import classifier_metrics, confusion_matrix, metrics_of
from glassline.errors import DataError

CLASSES = ("dent", "mold", "fold", "control")
SYSTEM_A = [[15419, 111, 61, 744], [1, 4916, 6, 601], [50, 12, 3880, 234], [260, 720, 206, 87972]]
SYSTEM_B = [[326, 6, 14, 29], [4, 347, 2, 14], [8, 8, 337, 12], [24, 11, 17, 293]]


def to_four(values):
    return [round(value, 4) for value in values]


def test_metrics_reproduce_published_figures_of_system_a():
    found = metrics_of(np.array(SYSTEM_A), CLASSES)
    assert to_four(found.precision.values()) == [0.9802, 0.8536, 0.9343, 0.9824]
    assert to_four(found.recall.values()) == [0.9439, 0.8899, 0.9291, 0.9867]
    means = [found.accuracy, found.macro_precision, found.macro_recall, found.f1_of_means, found.macro_f1]
    assert to_four(means) == [0.9739, 0.9376, 0.9374, 0.9375, 0.9373]


def test_metrics_reproduce_published_figures_of_system_b():
    found = metrics_of(np.array(SYSTEM_B), CLASSES)
    # Printed as .8419: 293 / 348 = .84195 cut, not rounded.
    assert to_four(found.precision.values()) == [0.9006, 0.9328, 0.9108, 0.8420]
    assert to_four(found.recall.values()) == [0.8693, 0.9455, 0.9233, 0.8493]
    means = [found.accuracy, found.macro_precision, found.macro_recall, found.f1_of_means]
    assert to_four(means) == [0.8974, 0.8965, 0.8969, 0.8967]
    assert found.samples == 1452


def test_metrics_match_plain_loops():
    rng = np.random.default_rng(0)
    actual, predicted = rng.choice(list("abc"), 200), rng.choice(list("abc"), 200)
    found = classifier_metrics(actual, predicted, "abc")
    for label in "abc":
        hits = sum(a == p == label for a, p in zip(actual, predicted, strict=True))
        precision, recall = hits / sum(predicted == label), hits / sum(actual == label)
        assert found.precision[label] == pytest.approx(precision)
        assert found.recall[label] == pytest.approx(recall)
        assert found.f1[label] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found.accuracy == pytest.approx(sum(actual == predicted) / 200)
    assert found.macro_f1 == pytest.approx(sum(found.f1.values()) / 3)


def test_wilson_interval_matches_its_formula():
    found = metrics_of(np.array([[8, 2], [0, 10]]), "ab")
    z, n, p = 1.959963984540054, 20, 0.9
    centre, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    assert found.accuracy_low == pytest.approx((centre - half) / (1 + z * z / n))
    assert found.accuracy_high == pytest.approx((centre + half) / (1 + z * z / n))


def test_metrics_are_zero_for_a_class_never_predicted_and_one_that_never_occurs():
    found = metrics_of(np.array([[3, 0, 1], [2, 0, 0], [0, 0, 0]]), "abc")
    assert found.precision == {"a": 0.6, "b": 0.0, "c": 0.0}
    assert found.recall == {"a": 0.75, "b": 0.0, "c": 0.0}
    assert found.macro_recall == pytest.approx(0.25)


def test_metrics_are_zero_when_nothing_is_right():
    found = metrics_of(np.array([[0, 3], [2, 0]]), "ab")
    assert (found.accuracy, found.macro_f1, found.f1_of_means) == (0, 0, 0)


def test_metrics_as_dict_names_each_class():
    flat = metrics_of(np.array([[3, 1], [0, 4]]), "ab").as_dict()
    assert flat["recall_a"] == 0.75
    assert flat["support_b"] == 4
    assert {"accuracy", "macro_f1", "f1_of_means", "precision_b", "f1_a"} <= set(flat)
    assert all(type(value) is float for value in flat.values())


def test_confusion_matrix_counts_rows_by_actual_class():
    assert confusion_matrix(["a", "a", "b"], ["a", "b", "b"], ["b", "a"]).tolist() == [[1, 0], [1, 1]]


def test_confusion_matrix_refuses_an_unknown_class():
    with pytest.raises(DataError, match=r"among \['a', 'b'\], got \['c'\]"):
        confusion_matrix(["a", "c"], ["a", "b"], ["a", "b"])


def test_confusion_matrix_refuses_unequal_lengths_and_no_sample():
    with pytest.raises(DataError, match="got 1 for 2 samples"):
        confusion_matrix(["a", "b"], ["a"], ["a", "b"])
    with pytest.raises(DataError, match="at least one sample"):
        confusion_matrix([], [], ["a", "b"])


@pytest.mark.parametrize("matrix", [[[1, 2]], [[1, -1], [0, 1]], [[0, 0], [0, 0]]])
def test_metrics_refuse_what_is_no_confusion_matrix(matrix):
    with pytest.raises(DataError, match="a confusion matrix must"):
        metrics_of(np.array(matrix), "ab")


def test_read_confusion_orders_rows_as_the_header(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("\ufeffactual, a, b\nb,3,4\n\na,1,2\n", encoding="utf-8")
    confusion_CC, classes = read_confusion(path)
    assert (confusion_CC.tolist(), classes) == ([[1, 2], [3, 4]], ("a", "b"))


def test_read_matching_reorders_rows_and_columns(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("actual,a,b\na,1,2\nb,3,4\n")
    assert read_matching(path, ("b", "a")).tolist() == [[4, 3], [2, 1]]


def test_read_matching_refuses_other_classes(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("actual,a,b\na,1,2\nb,3,4\n")
    with pytest.raises(DataError, match=r"must have the classes \['a', 'c'\]"):
        read_matching(path, ("a", "c"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty file"),
        ("class,a,b\na,1,2\nb,3,4\n", "line 1 must be `actual"),
        ("actual,a,a\na,1,2\n", "every class named once"),
        ("actual,a,b\na,1,2\nc,3,4\n", "line 3 must be the one row .* got 'c'"),
        ("actual,a,b\na,1,2\na,3,4\n", "line 3 .* a second row of 'a'"),
        ("actual,a,b\na,1,2\n", r"missing: \['b'\]"),
        ("actual,a,b\na,1\nb,3,4\n", "line 2 must hold 2 counts"),
        ("actual,a,b\na,1,-2\nb,3,4\n", "line 2 must hold whole numbers >= 0, got '-2'"),
        ("actual,a,b\na,1,2\nb,0.3,4\n", "line 3 must hold whole numbers >= 0, got '0.3'"),
        ("actual,a,b\na,1," + "9" * 5000 + "\nb,3,4\n", "line 2 must hold whole numbers"),
        ("actual,a,b\na,0,0\nb,0,0\n", "at least one sample"),
    ],
)
def test_read_confusion_names_file_line_and_remedy(tmp_path, text, message):
    path = tmp_path / "m.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_confusion(path)
    assert "m.csv" in str(caught.value)


def test_read_confusion_refuses_a_missing_and_a_binary_file(tmp_path):
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    for name in ("missing.csv", "binary.csv"):
        with pytest.raises(DataError, match=f"{name} must be a readable CSV file"):
            read_confusion(tmp_path / name)
