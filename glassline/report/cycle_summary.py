"""What a cycle came to, in a few lines of Markdown: for a comment on a commit."""

from collections.abc import Mapping, Sequence
from typing import Any

from glassline.analysis.compared import Compared, Product
from glassline.analysis.cycle_rates import ModelRates, rates_of
from glassline.report.markdown import markdown_table, plain

_HEAD = ("model", "accuracy", "false negatives", "false positives", "ms a unit")
_SHOWN_WARNINGS, _LONGEST = 12, 300


def cycle_headline(promotion: Mapping[str, Any]) -> str:
    """Return what was decided, in one line.

    Args:
        promotion: What `promote_model` wrote.
    """
    candidate, version = promotion["candidate"], promotion["version"]
    if not promotion["promoted"]:
        kept = "the champion is kept" if promotion.get("champion") else "nothing is promoted"
        return f"{kept}; {candidate}" + (f", version {version}, is the challenger" if version else " is not registered")
    before = f", it was version {promotion['champion']}" if promotion.get("champion") else ", the first one"
    return f"{candidate} is the champion, version {version}{before}"


def cycle_summary(
    title: str, promotion: Mapping[str, Any], compared: Sequence[Compared], warnings: Sequence[str]
) -> str:
    """Return the summary.

    Args:
        title: Product and cycle.
        promotion: What `promote_model` wrote.
        compared: What `compare_champion` wrote, one per candidate.
        warnings: What the steps noted.
    """
    parts = [f"### {plain(title)}: {plain(cycle_headline(promotion))}", _table("new", compared)]
    if old := rates_of(compared, "old"):
        parts += [f"On the old product, {old[0].units} units held out:", _table("old", compared)]
    parts += ["**The gate**", "\n".join(_rule(one) for one in promotion["reasons"])]
    if warnings:
        shown = [f"- {plain(line[:_LONGEST])}" for line in warnings[:_SHOWN_WARNINGS]]
        more = len(warnings) - len(shown)
        parts += ["**To know**", "\n".join([*shown, *([f"- and {more} more, see the report"] if more else [])])]
    return "\n\n".join(parts) + "\n"


def _rule(reason: Mapping[str, Any]) -> str:
    return f"- {'✓' if reason['passed'] else '✗'} {plain(reason['rule'].replace('_', ' '))}: {plain(reason['text'])}"


def _table(product: Product, compared: Sequence[Compared]) -> str:
    return markdown_table(_HEAD, [rate_cells(one) for one in rates_of(compared, product)])


def rate_cells(one: ModelRates) -> tuple[str, ...]:
    """Return what a table shows of a model: name, accuracy, false negatives, false positives, ms a unit."""
    return (
        one.model, _share(one.right, one.units), _share(one.missed, one.defective),
        _share(one.false_alarms, one.clean), "–" if one.latency_ms != one.latency_ms else f"{one.latency_ms:.1f}",
    )  # fmt: skip


def _share(part: int, whole: int) -> str:
    """Return a share with its counts; a dash where it is of nothing."""
    return f"{part / whole:.1%} ({part} of {whole})".replace("%", "\u00a0%") if whole else "–"
