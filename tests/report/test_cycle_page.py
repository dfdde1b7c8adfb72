"""What a cycle came to: rates of candidates and champion, the summary, the page."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from glassline.analysis.compared import Compared, nothing_of
from glassline.analysis.cycle_rates import rates_of
from glassline.data.samples import SampleTable
from glassline.report.cycle_page import write_cycle_page
from glassline.report.cycle_summary import cycle_headline, cycle_summary


def _answers(product: str, champion: bool) -> pd.DataFrame:
    """Six units: two clean, two dents, two folds; the candidate misses a dent, the champion a fold and a clean one."""
    actual = ["ok", "ok", "dent", "dent", "fold", "fold"]
    rows = pd.DataFrame({"unit": [f"{product}{n}" for n in range(6)], "group": "g", "actual": actual})
    rows["candidate"] = ["ok", "ok", "ok", "dent", "fold", "fold"]
    rows["champion"] = ["ok", "dent", "dent", "dent", "ok", "dent"] if champion else ""
    return rows.assign(product=product, seen=False)


@pytest.fixture
def compared() -> Compared:
    """A candidate beside champion 2, on the new product and the old one."""
    return Compared(
        candidate={"name": "cnn-scratch", "model": "cnn", "start": "scratch"}, export_run="r", data_hash="d",
        product="P7", cycle="b", clean_class="ok", parity={"largest_difference": 1e-6, "tolerance": 1e-4},
        latency_ms={"p95": 2.5, "median": 2, "units": 6, "threads": 1, "machine": "x"},
        answers=pd.concat([_answers("new", True), _answers("old", True)], ignore_index=True), champion="2",
        champion_run="c",
    )  # fmt: skip


@pytest.fixture
def promotion() -> Callable[..., dict[str, Any]]:
    """What `promote_model` decided: promotion(promoted=False)."""

    def told(promoted: bool = True, champion: str = "2") -> dict[str, Any]:
        reasons = [
            {"rule": "false_negatives", "passed": promoted, "text": "misses 1 of 4 <b>| @all"},
            {"rule": "parity", "passed": True, "text": "differs by 1e-06"},
        ]
        return {
            "promoted": promoted, "version": "3", "name": "glassline-P7", "champion": champion,
            "candidate": "cnn-scratch", "reasons": reasons,
        }  # fmt: skip

    return told


def test_rates_count_what_each_said(compared: Compared) -> None:
    candidate, champion = rates_of([compared], "new")
    assert (candidate.right, candidate.missed, candidate.false_alarms) == (5, 1, 0)
    assert (champion.model, champion.right, champion.missed, champion.false_alarms) == ("champion 2", 3, 1, 1)
    assert (candidate.units, candidate.defective, candidate.clean) == (6, 4, 2)


def test_rates_know_no_false_negatives_without_a_clean_class(compared: Compared) -> None:
    candidate, _ = rates_of([replace(compared, clean_class="")], "new")
    assert (candidate.defective, candidate.missed, candidate.clean) == (0, 0, 0)


def test_rates_have_no_champion_where_there_is_none(compared: Compared) -> None:
    first = replace(compared, answers=_answers("new", False), champion="")
    assert [one.model for one in rates_of([first], "new")] == ["cnn-scratch"]
    assert rates_of([first], "old") == []


@pytest.mark.parametrize(
    ("promoted", "champion", "told"),
    [
        (True, "2", "cnn-scratch is the champion, version 3, it was version 2"),
        (True, "", "cnn-scratch is the champion, version 3, the first one"),
        (False, "2", "the champion is kept; cnn-scratch, version 3, is the challenger"),
    ],
)
def test_headline_says_what_was_decided(
    promotion: Callable[..., dict[str, Any]], promoted: bool, champion: str, told: str
) -> None:
    assert cycle_headline(promotion(promoted, champion)) == told


def test_summary_shows_both_products_and_every_rule(
    compared: Compared, promotion: Callable[..., dict[str, Any]]
) -> None:
    text = cycle_summary("P7, cycle b", promotion(promoted=False), [compared], [f"check_cycle: {n}" for n in range(20)])
    assert "| cnn-scratch | 83.3 % (5 of 6) | 25.0 % (1 of 4) | 0.0 % (0 of 2) | 2.5 |" in text
    assert "| champion 2 | 50.0 % (3 of 6) |" in text
    assert "On the old product, 6 units" in text
    assert "- ✗ false negatives: misses 1 of 4 \\<b\\>\\|" in text
    assert "- ✓ parity: " in text
    assert "and 8 more, see the report" in text


def test_page_shows_reasons_escaped_and_a_matrix_of_each_model(
    compared: Compared, promotion: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    told = promotion()
    write_cycle_page("P7, cycle b", {"product": "P7"}, told, [compared], [], ["a warning"], tmp_path / "p.html")
    page = (tmp_path / "p.html").read_text()
    assert "cnn-scratch is the champion, version 3" in page
    assert "&lt;b&gt;" in page
    assert "<b>|" not in page
    assert page.count("Confusion matrix of") >= 2
    assert "a warning" in page


def test_page_and_summary_go_without_a_candidate_whose_training_failed(
    compared: Compared, promotion: Callable[..., dict[str, Any]], make_table: Callable[..., SampleTable], tmp_path: Path
) -> None:
    lost = nothing_of({"name": "triplet-scratch"}, "r", make_table(["dent"]), "it failed")
    write_cycle_page("P7, cycle b", {}, promotion(), [lost, compared], [], [], tmp_path / "p.html")
    assert "Confusion matrix of champion 2" in (tmp_path / "p.html").read_text()
    assert "triplet-scratch" not in cycle_summary("P7, cycle b", promotion(), [lost, compared], [])
