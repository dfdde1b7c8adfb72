"""Text as Markdown: names and messages come from data and must not become markup, links or mentions."""

import re
from collections.abc import Sequence

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#~!])")


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is, and that mentions nobody."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("@", "@\u200b")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; the first column is text, the others are figures.

    Args:
        head: Names of the columns.
        rows: Cells as shown.
    """
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    shown = [[plain(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in [*lines, *shown])
