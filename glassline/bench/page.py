"""The page of results: published and ours side by side, then what else was measured, section by section."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from glassline.bench.catalogue import catalogue
from glassline.bench.entry import SYSTEMS, Entry
from glassline.bench.record import Block, Record

_SYSTEMS = {
    "A": "A. CNN ensemble with location",
    "B": "B. Triplet network",
    "C": "C. Dark-field scratches",
    "D": "D. Dataonomy, transfer, root cause",
    "E": "E. Severity in four stages",
}
_INTRODUCTION = """# Results

Written by `glassline bench --write docs/results.md` from the files in `docs/results/`, one a measurement. Figures by
`bench` were written by the command, and tell the first digits of the SHA-256 of the code that measured them. Those of
the sections were printed by scripts or other commands: each section says whether a script wrote its file, or figures
and words were copied from its output by hand, where nothing but reading checks them.

Every table and figure of the five papers is here: what is published, what we measured, on which data, how; or what
stands in its place. `DATA` is where the public data sets lie, which are not shipped. Two shared CPU cores, no GPU and
no pretrained weights unless told otherwise. The papers' data is private: figures on other data tell whether a claim
holds, not who is better.

`bench` in the last column is `glassline bench --preset PRESET --data DATA --out runs/bench`; preset and code stand
behind it.
"""

#: Digits of a code's SHA-256 that the page tells.
_DIGITS = 8
_HEAD = ("paper", "figure", "published", "ours", "data and protocol", "by")


def results_page(records: Sequence[Record]) -> str:
    """Return the page as Markdown.

    Args:
        records: What was measured, in the order of the page.
    """
    parts = [_INTRODUCTION]
    for system in SYSTEMS:
        entries = [one for one in catalogue().values() if one.system == system]
        parts += [f"## {_SYSTEMS[system]}\n", _overview(entries, records), *_sections(records, system)]
    platform = _sections(records, "platform")
    if platform:
        parts += ["## Rig and platform\n", *platform]
    return "\n".join(parts).rstrip() + "\n"


def compared(record: Record) -> list[dict[str, Any]]:
    """Return one row per figure of a record: entry, quantity, published (None where nothing is), ours."""
    rows = []
    for name, ours in record.values.items():
        entry = catalogue().get(name)
        for quantity, value in ours.items():
            published = entry.published.get(quantity) if entry else None
            rows.append({"entry": name, "quantity": quantity, "published": published, "ours": value})
    return rows


def _overview(entries: Sequence[Entry], records: Sequence[Record]) -> str:
    """Return the table of a system's figures, and the list of what shows none or is not measured."""
    rows = [row for entry in entries if not entry.stands_in for row in _rows_of(entry, records)]
    drawn = [f"- {one.item}, {one.quantity}: {_published(one)}{one.stands_in}." for one in entries if one.stands_in]
    return f"{_table(_HEAD, rows)}\nNot measured, and what stands in:\n\n" + "\n".join(drawn) + "\n"


def _published(entry: Entry) -> str:
    told = ", ".join(f"{name} {_number(value)}" for name, value in entry.published.items())
    return f"published {told}; " if told else ""


def _rows_of(entry: Entry, records: Sequence[Record]) -> list[tuple[str, ...]]:
    """Return a row per figure; the first of each measurement tells what they have in common."""
    found: list[Record | None] = [one for one in records if entry.id in one.values]
    rows: list[tuple[str, ...]] = []
    for record in found or [None]:
        ours = record.values[entry.id] if record else {}
        names = list(dict.fromkeys([*entry.published, *ours])) or [""]
        for place, name in enumerate(names):
            shared = (
                (f"{entry.item}: {entry.quantity}", _how(entry, record), _by(entry, record)) if not place else ("",) * 3
            )
            told = ours.get(name)
            mine = _number(told) if told is not None else "not measured" if not record else ""
            published = _number(entry.published[name]) if name in entry.published else ""
            rows.append((shared[0], name, published, mine, shared[1], shared[2]))
    return rows


def _how(entry: Entry, record: Record | None) -> str:
    if record is None or record.name == entry.id or entry.script:
        return f"{_capital(entry.obtained)}. {_capital(entry.protocol)}"
    return f"{record.data}; {record.protocol}"


def _by(entry: Entry, record: Record | None) -> str:
    """Return what measured a row: the command line's `bench`, or a link to the section of a script's results."""
    if record is not None and record.name != entry.id:
        return f"[{record.title}](#{_anchor(record.title)})"
    size = f", {record.size}{_code(record)}" if record else ""
    return f"`bench --entry {entry.id}`{size}" if entry.measure else f"`{entry.script}`"


def _sections(records: Sequence[Record], system: str) -> list[str]:
    """Return the sections of what was measured otherwise, whose tables hold more than the papers'."""
    return [_section(one) for one in records if one.system == system and one.name not in catalogue()]


def _section(record: Record) -> str:
    commands = "\n".join(f"`{line}`" + "  " for line in record.command.splitlines()).rstrip()
    told = [
        f"### {record.title}\n",
        f"{commands}\n",
        f"Data: {record.data}. {_capital(record.protocol)} (seed {record.seed}; {record.machine}).\n",
        f"*{_kept(record)}.*\n",
    ]
    return "\n".join(told + [f"{_block(block)}\n" for block in record.body])


def _kept(record: Record) -> str:
    """Return how a section's figures came into its file."""
    if not record.code:
        return "Measured by a script or command, kept by hand"
    return f"Measured and written by a script{_code(record)}"


def _code(record: Record) -> str:
    return f", code {record.code[:_DIGITS]}" if record.code else ""


def _block(block: Block) -> str:
    return _table(block.columns, block.rows).rstrip() if block.columns else block.text


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |".replace("|  |", "| |") for cells in lines) + "\n"


def _number(value: float) -> str:
    """Return a number to four digits, as a person writes it."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1e}" if abs(value) < 1e-4 else f"{value:.4g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _anchor(title: str) -> str:
    """Return the anchor that Markdown viewers make of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
