"""The gate: what passes, each rule that holds a candidate back, several candidates, and degenerate cases."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from glassline.analysis.compared import Compared, read_compared
from glassline.analysis.gate import Judgement, best, judge_candidates
from glassline.analysis.gate_settings import GateSettings
from glassline.errors import DataError

# Names of the rules, in the order told.
RULES = (
    "champion", "false_negatives", "false_negatives_old", "significance", "recall", "recall_old", "parity", "latency",
)  # fmt: skip

_LATENCY = {"median": 1.0, "p95": 2.0, "units": 50, "threads": 1, "machine": "x86_64 with 2 cores"}

#: Counts of units by (actual, candidate, champion): 100 defective, 100 clean, the candidate better by 20.
BETTER = {
    ("dent", "dent", "dent"): 88, ("dent", "dent", "control"): 10, ("dent", "control", "dent"): 2,
    ("control", "control", "control"): 88, ("control", "control", "dent"): 12,
}  # fmt: skip


def answers(counts: dict[tuple[str, str, str], int], product: str = "new", seen: bool = False) -> pd.DataFrame:
    rows = [key for key, count in counts.items() for _ in range(count)]
    units = [f"{product}-{seen}-{n}" for n in range(len(rows))]
    found = pd.DataFrame(rows, columns=["actual", "candidate", "champion"])
    return found.assign(unit=units, group=units, product=product, seen=seen)


def compared(*tables: pd.DataFrame, name: str = "cnn-scratch", **changed: Any) -> Compared:
    values: dict[str, Any] = {
        "candidate": {"name": name, "model": "cnn", "start": "scratch"}, "export_run": f"run-{name}", "product": "P",
        "cycle": "1", "data_hash": "d" * 64, "clean_class": "control", "latency_ms": _LATENCY, "champion": "3",
        "champion_run": "run-3", "parity": {"largest_difference": 1e-7, "tolerance": 1e-4},
        "answers": pd.concat(tables, ignore_index=True), **changed,
    }  # fmt: skip
    return Compared(**values)


def judged(*tables: pd.DataFrame, gate: dict[str, float] | None = None, **changed: Any) -> Judgement:
    return judge_candidates([compared(*tables, **changed)], GateSettings.parse(gate or {}))[0]


def failed(judgement: Judgement) -> list[str]:
    return [one.rule for one in judgement.reasons if not one.passed]


def test_gate_promotes_a_better_candidate_and_names_every_rule() -> None:
    found = judged(answers(BETTER))
    assert found.passed
    assert [one.rule for one in found.reasons] == list(RULES)
    assert found.figures["fn_rate"] == 0.02
    assert found.figures["champion_fn_rate"] == 0.1
    assert "candidate misses 2 (2.0 %), champion 10 (10.0 %)" in found.reasons[1].text


def test_gate_refuses_a_candidate_whose_training_failed_and_does_not_count_it() -> None:
    lost = compared(answers({}), name="triplet-scratch", failure="embeddings must differ", parity={}, latency_ms={})
    good, alone = compared(answers(BETTER)), judged(answers(BETTER))
    refused, found = judge_candidates([lost, good], GateSettings.parse({}))
    assert (failed(refused), refused.may_be_handed_out) == (["parity"], False)
    assert "training failed: embeddings must differ" in refused.reasons[0].text
    assert best([refused, found]) is found
    assert found.figures == alone.figures


def test_gate_holds_back_a_candidate_that_misses_more_however_often_it_is_right() -> None:
    found = judged(answers({**BETTER, ("dent", "control", "dent"): 12, ("control", "control", "dent"): 40}))
    assert found.figures["mcnemar_p"] < 0.05
    assert failed(found) == ["false_negatives"]


def test_gate_holds_back_one_that_is_not_significantly_better() -> None:
    few = {**BETTER, ("dent", "dent", "control"): 2, ("dent", "control", "dent"): 0, ("control", "control", "dent"): 3}
    assert failed(judged(answers(few))) == ["significance"]


def test_gate_holds_back_equal_models_for_want_of_significance_alone() -> None:
    same = {("dent", "dent", "dent"): 100, ("control", "control", "control"): 100}
    found = judged(answers(same))
    assert failed(found) == ["significance"]
    assert found.figures["mcnemar_p"] == 1
    assert found.figures["fn_upper"] == pytest.approx(0.0263, abs=1e-3)


def test_gate_holds_back_one_that_loses_a_class() -> None:
    lost = {**BETTER, ("fold", "dent", "fold"): 3, ("fold", "fold", "fold"): 7}
    found = judged(answers(lost))
    assert failed(found) == ["recall"]
    assert "fold loses most recall, 30.0 points" in found.reasons[4].text


def test_gate_holds_back_one_that_forgot_the_old_product_unless_that_is_no_longer_made() -> None:
    forgot = {("dent", "control", "dent"): 15, ("dent", "dent", "dent"): 15, ("control", "control", "control"): 30}
    assert failed(judged(answers(BETTER), answers(forgot, "old"))) == ["false_negatives_old", "recall_old"]
    assert judged(answers(BETTER), answers(forgot, "old"), gate={"old_fn_margin": 1, "old_recall_loss": 1}).passed


def test_gate_passes_an_old_product_that_was_never_kept_and_fails_one_that_is_lost() -> None:
    assert judged(answers(BETTER), old_error="kept no table").passed
    lost = judged(answers(BETTER), old_error="a shard is missing", old_lost=True)
    assert failed(lost) == ["false_negatives_old", "recall_old"]
    assert "a shard is missing; mend that" in lost.reasons[2].text


@pytest.mark.parametrize("parity", [{}, {"largest_difference": float("nan"), "tolerance": 1e-4},
                                    {"largest_difference": 1e-3, "tolerance": 1e-4}])  # fmt: skip
def test_gate_holds_back_a_graph_that_says_something_else(parity: dict[str, float]) -> None:
    assert failed(judged(answers(BETTER), parity=parity)) == ["parity"]


def test_gate_holds_back_one_that_takes_too_long() -> None:
    assert failed(judged(answers(BETTER), gate={"latency_ms": 1.9})) == ["latency"]


FIRST = {"champion": "", "champion_run": ""}


def test_gate_asks_the_first_to_beat_the_commonest_class_besides_parity_and_latency() -> None:
    better = answers({("dent", "dent", ""): 3, ("dent", "control", ""): 2, ("control", "control", ""): 6})
    found = judged(better, **FIRST)
    assert found.passed
    assert "always says control, on 6 (54.5 %) of 11 units, got 9 (81.8 %)" in found.reasons[0].text
    assert "it finds 3 of 5 defective units" in found.reasons[0].text
    assert failed(judged(better, gate={"latency_ms": 1}, **FIRST)) == ["latency"]


@pytest.mark.parametrize(
    "counts",
    [
        {("dent", "control", ""): 59, ("control", "control", ""): 64},  # always the commonest
        {("dent", "dent", ""): 2, ("control", "control", ""): 4, ("control", "dent", ""): 2},  # no better than that
        {("dent", "dent", ""): 5},  # one class shows nothing
        {},
    ],
)
def test_gate_takes_no_first_that_is_no_better_than_a_constant(counts: dict[tuple[str, str, str], int]) -> None:
    assert failed(judged(answers(counts), **FIRST)) == ["champion"]


def test_gate_keeps_a_champion_that_cannot_judge() -> None:
    found = judged(answers(BETTER), champion_error="bundle.zip must be a whole bundle")
    assert failed(found) == ["champion"]
    assert "so it is kept" in found.reasons[0].text


@pytest.mark.parametrize(
    ("counts", "rules"),
    [
        ({("control", "control", "dent"): 40}, ["false_negatives"]),  # no defective unit
        ({("dent", "dent", "control"): 100}, []),  # no clean one, and one class
        ({}, ["false_negatives", "significance", "recall"]),
    ],
)
def test_gate_of_degenerate_units(counts: dict[tuple[str, str, str], int], rules: Sequence[str]) -> None:
    assert failed(judged(answers(counts))) == list(rules)


def test_gate_without_a_clean_class_has_no_false_negatives() -> None:
    found = judged(answers(BETTER), clean_class="")
    assert found.passed
    assert "fn_rate" not in found.figures


def test_gate_leaves_out_units_that_a_model_was_trained_on() -> None:
    learned = answers({("dent", "control", "dent"): 500}, seen=True)
    found = judged(answers(BETTER), learned)
    assert found.figures["units"] == 200
    assert (
        found.reasons[0].text == "version 3 judged the same 200 units; 500 that one of both was trained on are left out"
    )


def test_gate_does_not_count_what_a_model_was_trained_on_where_there_is_nothing_else() -> None:
    found = judged(answers(BETTER, seen=True), answers(BETTER, "old", seen=True))
    assert failed(found) == ["false_negatives", "false_negatives_old", "significance", "recall", "recall_old"]
    assert all("200 are left out" in one.text for one in found.reasons if not one.passed)
    off = judged(answers(BETTER), answers(BETTER, "old", seen=True), gate={"old_fn_margin": 1, "old_recall_loss": 1})
    assert off.passed


def test_gate_corrects_p_for_the_number_of_candidates() -> None:
    even = {**BETTER, ("dent", "dent", "control"): 1, ("dent", "control", "dent"): 0, ("control", "control", "dent"): 5}
    alone = judged(answers(even)).figures["mcnemar_p"]
    assert alone < 0.05
    three = judge_candidates([compared(answers(even), name=f"m{n}") for n in range(3)], GateSettings())
    assert [one.figures["mcnemar_p"] for one in three] == pytest.approx([3 * alone] * 3)
    assert best(three) is None


def test_gate_widens_the_bound_of_false_negatives_for_several_candidates() -> None:
    close = {("dent", "dent", "dent"): 100, ("control", "control", "control"): 80, ("control", "control", "dent"): 20}
    assert judged(answers(close)).passed
    four = judge_candidates([compared(answers(close), name=f"m{n}") for n in range(4)], GateSettings())
    assert {tuple(failed(one)) for one in four} == {("false_negatives",)}
    assert four[0].figures["fn_upper"] == pytest.approx(5.02 / 105.02, abs=1e-3)
    assert "95 % confidence over 4 candidates (98.75 % each)" in four[0].reasons[1].text


def test_best_is_the_passing_candidate_that_misses_fewest() -> None:
    accurate = {**BETTER, ("control", "control", "dent"): 40}
    careful = {**BETTER, ("dent", "dent", "control"): 12, ("dent", "control", "dent"): 0}
    found = judge_candidates(
        [compared(answers(accurate), name="accurate"), compared(answers(careful), name="careful")], GateSettings()
    )
    assert all(one.passed for one in found)
    assert best(found) is found[1]


def test_compared_is_read_as_it_was_written(tmp_path) -> None:
    one = compared(answers(BETTER), notes=["a note"])
    one.write(tmp_path / "c")
    again = read_compared(tmp_path / "c")
    assert (again.name, again.notes, again.champion) == ("cnn-scratch", ["a note"], "3")
    assert again.units("new").equals(one.units("new")[list(again.answers.columns)])


def test_compared_that_is_damaged_is_refused(tmp_path) -> None:
    compared(answers(BETTER)).write(tmp_path / "c")
    (tmp_path / "c" / "compared.json").write_text("{}")
    with pytest.raises(DataError, match="run it again"):
        read_compared(tmp_path / "c")
