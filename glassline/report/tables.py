"""Rows of figures as cells that a page can show: text, side, bar and which is best."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
import pandas as pd

# Names and rates with their intervals are shorter.
_SENTENCE = 48
_SCORES = ("accuracy", "precision", "recall", "f1")


@dataclass(frozen=True)
class Cell:
    """What one cell shows.

    Attributes:
        text: The value as read.
        number: Whether it is aligned as a figure.
        percent: Length of its bar in percent, or None where it has none.
        best: Whether it is the best of its column.
        sentence: Whether it is text to read, which may take several lines.
    """

    text: str
    number: bool = False
    percent: float | None = None
    best: bool = False
    sentence: bool = False


@dataclass(frozen=True)
class Table:
    """Headings and rows of cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def rows_of(table: pd.DataFrame) -> list[Mapping[str, object]]:
    """Return one mapping per row of a table, column name to value."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def share(count: int, of: int, rate: float, low: float, high: float) -> str:
    """Return a rate as read: `3 of 120 (2.5 %, 0.9 % to 7.1 %)`, the interval last; `none` of none."""
    return f"{count:,} of {of:,} ({rate:.1%}, {low:.1%} to {high:.1%})".replace("%", "\u00a0%") if of else "none"


def as_table(rows: Sequence[Mapping[str, object]], mark_best: bool = False) -> Table:
    """Return rows as a table; scores in [0, 1] get a bar.

    Args:
        rows: One mapping per row, column name to value. Columns stand in the order they first appear; a value
            that a row lacks stays empty.
        mark_best: Whether the best score of each column is marked, for rows that compete.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    best = {name: _best(rows, name) if mark_best and len(rows) > 1 else None for name in names}
    cells = tuple(tuple(_cell(name, row.get(name), best[name]) for name in names) for row in rows)
    return Table(tuple(_heading(name) for name in names), cells)


def _best(rows: Sequence[Mapping[str, object]], name: str) -> float | None:
    scores = [score for row in rows if (score := _score(name, row.get(name))) is not None]
    return max(scores) if scores else None


def _score(name: str, value: object) -> float | None:
    if not any(name == score or name.endswith(f"_{score}") for score in _SCORES):
        return None
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        return None
    return float(value)


def _cell(name: str, value: object, best: float | None) -> Cell:
    if value is None or value != value:  # NaN is the one value that differs from itself
        return Cell("–" if value is not None else "", number=value is not None)
    if isinstance(value, bool | np.bool_):
        return Cell("yes" if value else "no")
    if not isinstance(value, Real):
        return Cell(str(value), sentence=len(str(value)) > _SENTENCE)
    if isinstance(value, Integral):
        return Cell(f"{int(value):,}", number=True)
    score = _score(name, value)
    percent = None if score is None else round(100 * score, 1)
    return Cell(_figure(name, float(value)), True, percent, score is not None and score == best)


def _figure(name: str, value: float) -> str:
    if name == "p" or name.endswith("_p"):
        return "< 0.0001" if value < 1e-4 else f"{value:.3g}"
    if value.is_integer() and abs(value) < 1e15 and abs(value) > 1:
        return f"{int(value):,}"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:,.1f}"


def _heading(name: str) -> str:
    words = {"f1": "F1", "iou": "IoU", "dof": "d.f.", "mcnemar": "McNemar", "chi": "χ²", "square": ""}
    return " ".join(word for part in name.split("_") if (word := words.get(part, part))) or name
