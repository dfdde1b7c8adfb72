"""The gate: whether a candidate may take over from the champion, with every reason and its numbers.

A pure function of what both said of the same units. All rules must hold; that one holds outweighs none that does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from glassline.analysis.compared import Compared
from glassline.analysis.gate_own import first_champion, latency, own_figures, parity
from glassline.analysis.gate_rules import Reason, false_negatives, recall, recalls_of, right, significance
from glassline.analysis.gate_settings import GateSettings
from glassline.analysis.paired_rates import paired_p


@dataclass(frozen=True, eq=False)
class Judgement:
    """What the gate says of a candidate.

    Attributes:
        candidate: Its name.
        reasons: One per rule.
        figures: Flat names to numbers: rates and accuracies of both, bounds, p, latency; what is not known is left out.
        recalls: One row per product and class: product, class, units, candidate, champion.
        is_final: Whether the same data would come to the same: not where the champion could not be asked.
    """

    candidate: str
    reasons: tuple[Reason, ...]
    figures: Mapping[str, float]
    recalls: pd.DataFrame
    is_final: bool = True

    @property
    def passed(self) -> bool:
        """Whether every rule holds."""
        return all(one.passed for one in self.reasons)

    @property
    def may_be_handed_out(self) -> bool:
        """Whether the exported graph says what the trained network says."""
        return all(one.passed for one in self.reasons if one.rule == "parity")


def judge_candidates(compared: Sequence[Compared], settings: GateSettings) -> list[Judgement]:
    """Put every candidate through the gate, in the order given.

    Without a champion a candidate must be right more often than one that always says the same class, besides parity
    and latency. A champion that cannot judge is no reason to promote: what it would have said is not known.

    Args:
        compared: What each candidate and the champion said; the number of those that were trained corrects the
            significance and the bounds.
        settings: What they must show.
    """
    trained = [one for one in compared if not one.failure]
    corrected = {one.name: p for one, p in zip(trained, _corrected(trained), strict=True)}
    return [
        _failed(one) if one.failure else _judge(one, corrected[one.name], len(trained), settings) for one in compared
    ]


def best(judgements: Sequence[Judgement]) -> Judgement | None:
    """Return the passing candidate of the fewest false negatives, then the highest accuracy; None where none passes."""
    return min((one for one in judgements if one.passed), key=rank, default=None)


def rank(judgement: Judgement) -> tuple[float, float, str]:
    """Return what candidates are sorted by, the best first: false negatives, accuracy, name."""
    figures = judgement.figures
    return figures.get("fn_rate", 0.0), -figures.get("accuracy", 0.0), judgement.candidate


def _corrected(compared: Sequence[Compared]) -> list[float]:
    """Return McNemar's p of each candidate, Holm-corrected; 1 where nothing was compared."""
    from statsmodels.stats.multitest import multipletests

    if not compared:
        return []
    raw = []
    for one in compared:
        rows = one.units("new")
        told = bool(one.champion) and not one.champion_error and len(rows) > 0
        raw.append(paired_p(*right(rows), rows["group"]) if told else 1.0)
    return [float(p) for p in multipletests(raw, method="holm")[1]]


def _failed(one: Compared) -> Judgement:
    why = Reason("parity", False, f"there is no graph to compare, the training failed: {one.failure}")
    return Judgement(one.name, (why,), {}, recalls_of(one))


def _judge(one: Compared, p: float, candidates: int, settings: GateSettings) -> Judgement:
    own, recalls = (parity(one), latency(one, settings)), recalls_of(one)
    if not one.champion:
        return Judgement(one.name, (first_champion(one), *own), own_figures(one), recalls)
    if one.champion_error:
        lost = f"version {one.champion} cannot judge these units, so it is kept: {one.champion_error}"
        return Judgement(one.name, (Reason("champion", False, lost), *own), own_figures(one), recalls, is_final=False)
    seen = one.seen_units("new")
    left_out = f"; {seen} that one of both was trained on are left out" if seen else ""
    there = Reason("champion", True, f"version {one.champion} judged the same {len(one.units('new'))} units{left_out}")
    missed = false_negatives(one, "new", candidates, settings)
    missed_old = false_negatives(one, "old", candidates, settings)
    better = significance(one, p, candidates, settings)
    reasons = (
        there, missed[0], missed_old[0], better[0], recall(one, "new", settings), recall(one, "old", settings), *own,
    )  # fmt: skip
    return Judgement(one.name, reasons, {**own_figures(one), **missed[1], **missed_old[1], **better[1]}, recalls)
