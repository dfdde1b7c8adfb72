"""Class counts of a new cycle: too few, too narrow, imbalanced, missing and new classes."""

import pandas as pd
import pytest

from glassline.analysis.cycle_counts import class_counts, count_findings
from glassline.analysis.cycle_findings import Finding, findings_table, outcomes, refuse
from glassline.analysis.cycle_settings import CheckSettings
from glassline.errors import DataError

SETTINGS = CheckSettings(least_per_class=3)


def _counts(**units):
    rows = [(name, *value) if isinstance(value, tuple) else (name, value, value) for name, value in units.items()]
    return pd.DataFrame(rows, columns=["label", "units", "groups"])


def test_class_counts_counts_units_of_both_cycles(make_table):
    new = make_table(["dent", "dent", "mold"], unit=["u", "u", "v"])
    last = make_table(["dent", "scratch"], classes=("dent", "scratch"))
    table = class_counts(new, last).set_index("label")
    assert table["units"].to_dict() == {"dent": 1, "mold": 1, "scratch": 0}
    assert table["last_units"].to_dict() == {"dent": 1, "mold": 0, "scratch": 1}


def test_count_findings_passes_enough_of_each():
    assert count_findings(_counts(dent=5, mold=4), ["dent", "mold"], SETTINGS) == []


def test_count_findings_refuses_few_samples_and_few_groups_together():
    found = count_findings(_counts(dent=(2, 2), mold=(9, 1)), [], SETTINGS)
    assert [one.level for one in found] == ["refused", "refused"]
    assert "dent has 2" in found[0].text
    assert "mold has 1" in found[1].text


def test_count_findings_refuses_a_single_class():
    (found,) = count_findings(_counts(dent=5, mold=0), [], SETTINGS)
    assert found.level == "refused"
    assert "at least 2 classes, got dent" in found.text


def test_count_findings_warns_of_imbalance():
    (found,) = count_findings(_counts(dent=3, mold=90), [], SETTINGS)
    assert (found.rule, found.level) == ("counts", "warned")
    assert "30 for one" in found.text


def test_count_findings_tells_classes_that_are_missing_and_new():
    missing, new = count_findings(_counts(dent=5, mold=4), ["dent", "fold"], SETTINGS)
    assert "no sample: fold" in missing.text
    assert "does not know: mold" in new.text
    assert {missing.level, new.level} == {"warned"}


def test_refuse_lists_every_refusal_in_one_line():
    findings = [Finding("counts", "refused", "a"), Finding("light", "warned", "b"), Finding("labels", "refused", "c")]
    with pytest.raises(DataError, match=r"^P cannot be used, 2 problems: \(1\) counts: a; \(2\) labels: c$"):
        refuse(findings, "P")


def test_refuse_passes_warnings():
    refuse([Finding("light", "warned", "b")], "P")


def test_outcomes_are_the_worst_of_each_rule():
    told = outcomes([Finding("light", "warned", "a"), Finding("light", "refused", "b"), Finding("light", "told", "c")])
    assert (told["light"], told["counts"]) == ("refused", "passed")
    assert "passed" in set(findings_table([])["outcome"])
