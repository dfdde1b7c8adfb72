"""The gate on a page: with and without a champion, one candidate or several."""

from typing import Any

import pytest

from glassline.report.gate import gate_figure, gate_section, reason_lines


def promotion(champion: bool, candidates: int = 2) -> dict[str, Any]:
    figures = {"fn_difference": -0.02, "fn_low": -0.05, "fn_upper": 0.01, "accuracy_difference": 0.04,
               "accuracy_low": 0.01, "accuracy_upper": 0.07} if champion else {}  # fmt: skip
    reasons = [{"rule": "recall_old", "passed": False, "text": "<b>fold</b> loses"}]
    recalls = [
        {"product": "new", "class": "dent$", "units": 9, "candidate": 0.9, "champion": 0.8 if champion else None},
        {"product": "old", "class": "dent$", "units": 3, "candidate": 0.9, "champion": 0.8 if champion else None},
    ]
    told = [
        {"name": f"m{n}", "passed": n == 0, "reasons": reasons, "figures": {**figures, "latency_ms": 2.5},
         "recalls": recalls}
        for n in range(candidates)
    ]  # fmt: skip
    gate = {"fn_margin": 0.03, "old_fn_margin": 0.15, "confidence": 0.95, "latency_ms": 100}
    return {"candidate": "m0", "candidates": told, "gate": gate, "reasons": reasons, "notes": ["a note"]}


@pytest.mark.parametrize("champion", [True, False])
@pytest.mark.parametrize("candidates", [1, 4])
def test_gate_figure_has_four_panels_that_name_every_candidate(champion: bool, candidates: int) -> None:
    fig = gate_figure(promotion(champion, candidates))
    assert len(fig.axes) == 4
    assert [one.get_text() for one in fig.axes[3].get_yticklabels()] == [f"m{n}" for n in range(candidates)]


def test_gate_figure_leaves_out_a_candidate_of_which_nothing_is_known() -> None:
    told = promotion(champion=True)
    told["candidates"][1] |= {"figures": {}, "recalls": []}
    assert [one.get_text() for one in gate_figure(told).axes[3].get_yticklabels()] == ["m0"]


def test_gate_section_tells_every_candidates_reasons() -> None:
    section = gate_section(promotion(champion=True))
    assert [one.title for one in section.tables] == ["m0: passed", "m1: held back"]
    assert section.tables[0].rows[0] == {"rule": "recall, old product", "holds": "NO", "why": "<b>fold</b> loses"}
    assert section.note == "a note."
    assert section.figures[0].png.startswith(b"\x89PNG")


def test_reason_lines_mark_what_does_not_hold() -> None:
    assert reason_lines(promotion(champion=True)) == ["✗ recall, old product: <b>fold</b> loses"]
