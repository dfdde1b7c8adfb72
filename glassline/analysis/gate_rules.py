"""The rules of the gate, one function each: what both models said in, a reason and its figures out."""

from dataclasses import dataclass

import pandas as pd

from glassline.analysis.compared import Compared, Product
from glassline.analysis.gate_settings import GateSettings
from glassline.analysis.paired_rates import RateDifference, rate_difference
from glassline.analysis.significance import Flags

Figures = dict[str, float]


@dataclass(frozen=True)
class Reason:
    """One rule of the gate: its name, whether it holds, and its numbers in words."""

    rule: str
    passed: bool
    text: str


def false_negatives(one: Compared, product: Product, candidates: int, settings: GateSettings) -> tuple[Reason, Figures]:
    """Hold the upper bound of the rise of the rate of defective units judged clean against the margin.

    Args:
        one: What both said.
        product: On which product's units.
        candidates: Number of candidates, any of which may pass: each one's bound holds in so many more cases.
        settings: Margin, and confidence over all candidates.
    """
    is_old = product == "old"
    rule, setting, tail = ("false_negatives_old", "old_fn_margin", "_old") if is_old else (
        "false_negatives", "fn_margin", "",
    )  # fmt: skip
    margin = float(getattr(settings, setting))
    if is_old and not len(one.units("old")) and not one.seen_units("old"):
        return _not_compared(rule, setting, one, margin), {}
    if not one.clean_class:
        return Reason(rule, True, f"{product} product: no class is clean, so no defect can pass for clean"), {}
    rows = one.units(product)
    rows = rows[rows["actual"] != one.clean_class]
    missed, other = ((rows[name] == one.clean_class).to_numpy(bool) for name in ("candidate", "champion"))
    found = rate_difference(missed, other, rows["group"], each_confidence(settings.confidence, candidates))
    if not found.units:
        told = f"{_nothing(one, product, 'defective unit')}, or set gate.{setting}=1"
        return Reason(rule, margin >= 1, f"{product} product: {told}"), {}
    over = f" over {candidates} candidates ({100 * found.confidence:.4g} % each)" if candidates > 1 else ""
    told = (
        f"{found.units} defective units: candidate misses {share(found.first, found.units)}, champion "
        f"{share(found.second, found.units)}; the rate changes by {_points(found.difference)}, at most "
        f"{_points(found.upper)} with {100 * settings.confidence:g} % confidence{over}; allowed {_points(margin)}"
    )
    figures = {
        **_bounds(f"fn_{{}}{tail}", found), f"fn_rate{tail}": found.first / found.units,
        f"champion_fn_rate{tail}": found.second / found.units,
    }  # fmt: skip
    return Reason(rule, found.upper <= margin, f"{product} product, {told}"), figures


def significance(one: Compared, p: float, candidates: int, settings: GateSettings) -> tuple[Reason, Figures]:
    """Ask that the candidate is right more often on the new product, and that this is no chance.

    Args:
        one: What both said.
        p: McNemar's p, Holm-corrected.
        candidates: Number of candidates it was corrected for.
        settings: Under which p it counts.
    """
    rows = one.units("new")
    if not len(rows):
        return Reason("significance", False, f"new product: {_nothing(one, 'new', 'unit')}"), {}
    right_N, other_N = right(rows)
    found = rate_difference(right_N, other_N, rows["group"], each_confidence(settings.confidence, candidates))
    only, other = int((right_N & ~other_N).sum()), int((~right_N & other_N).sum())
    holm = f", Holm-corrected over {candidates} candidates" if candidates > 1 else ""
    told = (
        f"candidate right on {share(found.first, found.units)} of {found.units} units, champion on "
        f"{share(found.second, found.units)}; candidate alone on {only}, champion alone on {other}; McNemar p = "
        f"{p:.3g}{holm}; must be under {settings.significance:g}, and the candidate right more often"
    )
    figures = {
        **_bounds("accuracy_{}", found), "mcnemar_p": p, "champion_accuracy": found.second / found.units,
        "candidates": float(candidates),
    }  # fmt: skip
    return Reason("significance", p < settings.significance and found.difference > 0, told), figures


def right(rows: pd.DataFrame) -> tuple[Flags, Flags]:
    """Return where the candidate is right, and where the champion is (N,)."""
    actual = rows["actual"]
    return (rows["candidate"] == actual).to_numpy(bool), (rows["champion"] == actual).to_numpy(bool)


def recalls_of(one: Compared) -> pd.DataFrame:
    """Return both models' recall of every class that occurs: product, class, units, candidate, champion.

    The champion's is NaN where it judged nothing.
    """
    judged = bool(one.champion) and not one.champion_error
    found = []
    products: tuple[Product, ...] = ("new", "old")
    for product in products:
        for label, rows in one.units(product).groupby("actual", sort=True):
            mine, other = (float((rows[name] == label).mean()) for name in ("candidate", "champion"))
            found.append((product, str(label), len(rows), mine, other if judged else float("nan")))
    return pd.DataFrame(found, columns=["product", "class", "units", "candidate", "champion"])


def recall(one: Compared, product: Product, settings: GateSettings) -> Reason:
    """Hold the largest loss of recall of any class against what is allowed."""
    is_old = product == "old"
    rule, setting = ("recall_old", "old_recall_loss") if is_old else ("recall", "recall_loss")
    allowed = float(getattr(settings, setting))
    if is_old and not len(one.units("old")) and not one.seen_units("old"):
        return _not_compared(rule, setting, one, allowed)
    recalls = recalls_of(one)
    recalls = recalls[recalls["product"] == product].reset_index(drop=True)
    if recalls.empty:
        told = f"{_nothing(one, product, 'unit')}{f', or set gate.{setting}=1' if is_old else ''}"
        return Reason(rule, is_old and allowed >= 1, f"{product} product: {told}")
    loss = (recalls["champion"] - recalls["candidate"]).to_numpy(float)
    worst = recalls.iloc[int(loss.argmax())]
    lost = f"{worst['class']} loses most recall, {100 * loss.max():.1f} points" if loss.max() > 0 else "no class loses"
    return Reason(
        rule, bool(loss.max() <= allowed + 1e-9),
        f"{product} product: {lost} (candidate {_percent(worst['candidate'])}, champion "
        f"{_percent(worst['champion'])} of {worst['units']} units of {worst['class']}); allowed "
        f"{100 * allowed:g} points",
    )  # fmt: skip


def _not_compared(rule: str, setting: str, one: Compared, allowed: float) -> Reason:
    """Pass an old product that left nothing to compare on; fail one whose table is lost, unless the rule is off."""
    text = f"old product not compared: {one.old_error or 'the champion left no table of it'}"
    if not one.old_lost or allowed >= 1:
        return Reason(rule, True, text)
    return Reason(rule, False, f"{text}; mend that, or set gate.{setting}=1 when the old product is no longer made")


def each_confidence(confidence: float, candidates: int) -> float:
    """Return the confidence of one candidate's bound that holds for all of them together (Bonferroni)."""
    return 1 - (1 - confidence) / max(candidates, 1)


def _nothing(one: Compared, product: Product, what: str) -> str:
    """Say why no unit was counted, and what helps."""
    seen = one.seen_units(product)
    left_out = f" among those that neither model was trained on; {seen} are left out" if seen else ""
    return f"no {what}{left_out}, so nothing shows what both do; label some"


def _bounds(name: str, found: RateDifference) -> Figures:
    told = {"difference": found.difference, "low": found.low, "upper": found.upper}
    return {name.format(key): value for key, value in told.items()}


def share(count: int, units: int) -> str:
    """Return a count with its share of units, in words."""
    return f"{count} ({_percent(count / units)})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
