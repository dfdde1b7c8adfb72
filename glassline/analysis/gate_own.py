"""What the gate asks of a candidate by itself: its figures, a first champion's rule, parity and latency."""

from math import isfinite

from glassline.analysis.compared import Compared
from glassline.analysis.defect_rates import defect_rates
from glassline.analysis.gate_rules import Figures, Reason, share
from glassline.analysis.gate_settings import GateSettings


def own_figures(one: Compared) -> Figures:
    """Return the candidate's own rates on the new product, and its latency."""
    rows = one.units("new")
    found = {"units": float(len(rows)), "latency_ms": float(one.latency_ms["p95"])}
    if len(rows):
        found["accuracy"] = float((rows["candidate"] == rows["actual"]).mean())
        found |= defect_rates(rows["actual"], rows["candidate"], one.clean_class)
    return found


def first_champion(one: Compared) -> Reason:
    """Ask of a first champion that it is right more often than one that always says the same.

    It then finds some defects too: one that finds none is right on clean units alone.
    """
    rows = one.units("new")
    if rows.empty:
        return Reason("champion", False, "there is none yet, and no unit shows what this one would do; label some")
    counts = rows["actual"].value_counts().sort_index()
    label, most, hits = str(counts.idxmax()), int(counts.max()), int((rows["candidate"] == rows["actual"]).sum())
    told = (
        f"there is none yet: the first must be right more often than one that always says {label}, on "
        f"{share(most, len(rows))} of {len(rows)} units, got {share(hits, len(rows))}"
    )
    if not one.clean_class:
        return Reason("champion", hits > most, told)
    defective = rows[rows["actual"] != one.clean_class]
    caught = int((defective["candidate"] != one.clean_class).sum())
    return Reason("champion", hits > most, f"{told}; it finds {caught} of {len(defective)} defective units")


def parity(one: Compared) -> Reason:
    """Ask that the exported graph says what the trained network says."""
    worst = one.parity.get("largest_difference", float("inf"))
    tolerance = one.parity.get("tolerance", 0.0)
    return Reason(
        "parity", isfinite(worst) and worst <= tolerance,
        f"ONNX Runtime differs from torch by at most {worst:.2g}; allowed {tolerance:g}",
    )  # fmt: skip


def latency(one: Compared, settings: GateSettings) -> Reason:
    """Hold the 95th percentile of the time of a unit against the target's budget."""
    told = one.latency_ms
    return Reason(
        "latency", bool(told["p95"] <= settings.latency_ms),
        f"{told['p95']:.1f} ms a unit at the 95th percentile, {told['median']:.1f} at the median, of {told['units']} "
        f"units on {told['threads']} thread{'s' * (told['threads'] > 1)} of {told['machine']}; allowed "
        f"{settings.latency_ms:g} ms",
    )  # fmt: skip
