"""What was judged: `verdicts.jsonl`, its tables and overlays; nothing is judged twice, nothing half-written.

A line is the memory of its unit: it is written last and whole. An overlay of a killed inspection is written again
under the same name, tables that lack rows are made anew from the lines.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from glassline.deploy.inspection.lines import Line, Picture
from glassline.deploy.inspection.overlay import write_overlay
from glassline.deploy.inspection.tables import (
    BOX,
    DEFECT_COLUMNS,
    UNIT_COLUMNS,
    defect_rows,
    header,
    memory_of,
    read_line,
    unit_row,
)
from glassline.deploy.inspection.whole_lines import WholeLines
from glassline.errors import StorageError

#: Files of the folder.
VERDICTS, TABLE, DEFECTS, OVERLAYS = "verdicts.jsonl", "verdicts.csv", "defects.csv", "overlays"

_Read = TypeVar("_Read")


def unit_key(identity: str, content: str, judged_by: list[Any]) -> str:
    """Return what a verdict is remembered by.

    Args:
        identity: Which unit.
        content: Hash of its content, or why it could not be read.
        judged_by: What decides on the verdict: bundle, thresholds, runtime, arithmetic.
    """
    told = json.dumps([identity, content, *judged_by], sort_keys=True)
    return hashlib.sha256(told.encode(errors="surrogatepass")).hexdigest()


class Journal:
    """The folder of an inspection.

    Attributes:
        known: By key of what is judged already: why it was refused, '' where it was not.
    """

    def __init__(self, out: Path) -> None:
        """Open or make the folder, read what is known, and see that the tables are whole.

        Raises:
            StorageError: It may not be written, another inspection writes there, or a line was damaged.
        """
        self.out = out
        self.known: dict[str, str] = {}
        self._stack = ExitStack()
        with ExitStack() as opened:
            self._lines, self._table, self._defects = (
                opened.enter_context(WholeLines(out / name)) for name in (VERDICTS, TABLE, DEFECTS)
            )
            self._read()
            self._stack = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def record(self, line: Line, pictures: tuple[Picture, ...]) -> None:
        """Write overlays, the line, and its rows.

        Raises:
            StorageError: The disk is full or refuses; the line is not written, and may be recorded again.
        """
        names = tuple(f"{OVERLAYS}/{picture.name}-{line.key[:12]}.png" for picture in pictures)
        for name, picture in zip(names, pictures, strict=True):
            write_overlay(self.out / name, picture, f"{line.unit}: {line.verdict}")
        line = line.model_copy(update={"overlays": names})
        self._lines.append(line.model_dump_json() + "\n")
        self.known[line.key] = line.reason
        told = line.model_dump(mode="json")
        try:
            self._rows(told, kept=False)
        except StorageError:
            return  # the lines hold it; the next start writes the tables anew

    def _read(self) -> None:
        """Read what is known, and write tables anew that lack rows: to do so at each start would take seconds."""
        units = defects = 0
        for (key, reason), boxes in self._each(lambda text: (memory_of(text), text.count(BOX))):
            self.known[key] = reason
            units, defects = units + 1, defects + boxes
        rows = [(self._table, UNIT_COLUMNS, units), (self._defects, DEFECT_COLUMNS, defects)]
        if all(lines.hold(header(columns), 1 + count) for lines, columns, count in rows):
            return
        for lines, columns, _ in rows:
            lines.clear()
            lines.append(header(columns))
        for told in self._each(read_line):
            self._rows(told, kept=False)

    def _each(self, read: Callable[[bytes], _Read]) -> Iterator[_Read]:
        """Yield what is read of each line."""
        with open(self.out / VERDICTS, "rb") as stream:
            for number, text in enumerate(stream, 1):
                try:
                    found = read(text)
                except ValueError as error:
                    raise StorageError(
                        f"line {number} of {self.out / VERDICTS} must be a verdict ({error}); remove the line, or "
                        "choose another --out"
                    ) from error
                yield found

    def _rows(self, told: dict[str, Any], kept: bool) -> None:
        self._table.append(unit_row(told), kept)
        if rows := defect_rows(told):
            self._defects.append(rows, kept)
