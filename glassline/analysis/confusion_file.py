"""Read a confusion matrix from CSV: first row `actual,<class>,…`, then one row per actual class."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from glassline.analysis.metrics import Counts
from glassline.errors import DataError

# Beyond it a sum of counts is no longer exact in floating point.
_MOST = 2**53


def read_confusion(path: str | Path) -> tuple[Counts, tuple[str, ...]]:
    """Read a confusion matrix.

    Args:
        path: CSV in UTF-8; rows may come in any order, blank lines do not count.

    Returns:
        confusion_CC with rows actual, in the order of the header, and the class names.

    Raises:
        DataError: The file is unreadable, names do not match, a cell is no count, or all are 0; names
            file and line.
    """
    lines = _lines(Path(path))
    number, header = lines[0]
    classes = _classes(header, f"{path}, line {number}")
    rows: dict[str, list[int]] = {}
    for number, cells in lines[1:]:
        where = f"{path}, line {number}"
        label = cells[0]
        if label not in classes or label in rows:
            problem = f"a second row of {label!r}" if label in rows else f"{label!r:.80}"
            raise DataError(
                f"{where} must be the one row of an actual class among {list(classes)}, got {problem}; "
                "rename or delete the row"
            )
        if len(cells) != len(classes) + 1:
            raise DataError(
                f"{where} must hold {len(classes)} counts after {label!r}, got {len(cells) - 1}; one for each class"
            )
        rows[label] = [_count(cell, where) for cell in cells[1:]]
    missing = [label for label in classes if label not in rows]
    if missing:
        raise DataError(f"{path} must hold one row for each class of its header, missing: {missing}; add them")
    confusion_CC = np.array([rows[label] for label in classes], np.int64)
    if not confusion_CC.any():
        raise DataError(f"{path} must count at least one sample, got only zeros; write the counts, not shares")
    return confusion_CC, classes


def read_matching(path: str | Path, classes: Sequence[str]) -> Counts:
    """Read the confusion matrix of another model over the same classes.

    Args:
        path: As for `read_confusion`; classes may come in any order.
        classes: Class names in the order wanted.

    Returns:
        confusion_CC, rows actual, in the order of `classes`.

    Raises:
        DataError: As for `read_confusion`, or the classes are others.
    """
    confusion_CC, own = read_confusion(path)
    if set(own) != set(classes):
        raise DataError(
            f"{path} must have the classes {list(classes)} of the model's matrix, got {list(own)}; "
            "compare models of the same classes"
        )
    order = [own.index(label) for label in classes]
    return np.asarray(confusion_CC[np.ix_(order, order)])


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return (line number, stripped cells) of every line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        reader = csv.reader(text.splitlines())
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} must be a readable CSV file in UTF-8 ({error}); check the path") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        raise DataError(f"{path} must start with `actual,<class>,…`, got an empty file; write the counts")
    return lines


def _classes(header: Sequence[str], where: str) -> tuple[str, ...]:
    first, *classes = header
    if first != "actual" or not classes or "" in classes or len(set(classes)) != len(classes):
        raise DataError(
            f"{where} must be `actual,<class>,…` with every class named once, got {','.join(header)!r:.120}; "
            "mend the header"
        )
    return tuple(classes)


def _count(cell: str, where: str) -> int:
    if not (cell.isascii() and cell.isdigit()) or int(cell[:20]) > _MOST:
        raise DataError(f"{where} must hold whole numbers >= 0, got {cell!r:.40}; write counts, not shares")
    return int(cell)
