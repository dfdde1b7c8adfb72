"""False negatives and false positives of a classifier with a clean class."""

from glassline.analysis.defect_rates import defect_rates


def test_a_defect_taken_for_another_is_not_missed():
    actual = ["dent", "dent", "mold", "mold", "clean", "clean", "clean"]
    predicted = ["mold", "clean", "mold", "mold", "clean", "dent", "clean"]
    assert defect_rates(actual, predicted, "clean") == {"fn_rate": 1 / 4, "fp_rate": 1 / 3}


def test_what_is_not_defined_is_left_out():
    assert defect_rates(["dent"], ["dent"], "clean") == {"fn_rate": 0.0}
    assert defect_rates(["clean"], ["dent"], "clean") == {"fp_rate": 1.0}
    assert defect_rates(["dent"], ["mold"], "") == {}
