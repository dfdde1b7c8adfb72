"""What the check of a new cycle's data finds: passed, told, warned of or refused, rule by rule."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from glassline.errors import DataError

Level = Literal["passed", "told", "warned", "refused"]

#: What is looked at, in this order: name to what it asks.
RULES = {
    "product": "Every image is of this product and cycle",
    "leaks": "Nothing that belongs together lies in two folds",
    "duplicates": "No picture comes twice under different groups",
    "labels": "No picture has two labels, here or since the last cycle",
    "seen": "No sample was in the champion's own training set",
    "counts": "Every class has enough samples, on enough groups",
    "classes": "The classes are those that the champion knows",
    "light": "Every image can be read; the background of each rig is as it was",
    "attributes": "Location and attributes are as they were",
    "embedding": "The champion sees patches as it did",
}

_WORST: tuple[Level, ...] = ("passed", "told", "warned", "refused")
_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One thing found.

    Attributes:
        rule: One of `RULES`.
        level: How bad it is; `refused` ends the cycle.
        text: What was found, with names and figures, and the remedy where one is due.
    """

    rule: str
    level: Level
    text: str


def outcomes(findings: Iterable[Finding]) -> dict[str, Level]:
    """Return the worst that was found of every rule; `passed` where nothing was."""
    worst: dict[str, Level] = dict.fromkeys(RULES, "passed")
    for one in findings:
        worst[one.rule] = max(worst[one.rule], one.level, key=_WORST.index)
    return worst


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return a row per finding, and one per rule of which nothing was found: rule, outcome, text."""
    found = {one.rule for one in findings}
    passed = [Finding(rule, "passed", text) for rule, text in RULES.items() if rule not in found]
    order = list(RULES)
    rows = sorted([*findings, *passed], key=lambda one: (order.index(one.rule), -_WORST.index(one.level)))
    return pd.DataFrame([asdict(one) for one in rows]).rename(columns={"level": "outcome"})


def refuse(findings: Sequence[Finding], what: str) -> None:
    """Raise every refusal at once, so that one look mends them all.

    Args:
        findings: What was found.
        what: Whose data it is.

    Raises:
        DataError: At least one finding is a refusal; one line.
    """
    refused = [f"{one.rule}: {one.text}" for one in findings if one.level == "refused"]
    if not refused:
        return
    if len(refused) == 1:
        raise DataError(f"{what} cannot be used: {refused[0]}")
    listed = "; ".join(f"({number}) {text}" for number, text in enumerate(refused, 1))
    raise DataError(f"{what} cannot be used, {len(refused)} problems: {listed}")


def named(names: Iterable[object]) -> str:
    """Return the first names and how many more there are."""
    listed = [str(name) for name in names]
    shown = ", ".join(listed[:_NAMED])
    return shown if len(listed) <= _NAMED else f"{shown} and {len(listed) - _NAMED} more"
