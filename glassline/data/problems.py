"""What is wrong with the records of a source, collected so that one run names many and not only the first."""

from pathlib import Path

from glassline.errors import DataError

_SHOWN = 10


class Problems:
    """Collect what is wrong with a source's records."""

    def __init__(self, source: str | Path, done: str = "imported") -> None:
        """Remember whose problems these are, and what they keep from being done."""
        self._source, self._done, self._lines = source, done, list[str]()

    def add(self, file: str | Path, problem: str) -> None:
        """Note one problem: rule, value received, remedy."""
        self._lines.append(f"{file}: {problem}")

    def raise_if_any(self) -> None:
        """Raise what was collected.

        Raises:
            DataError: There is at least one problem; shows ten.
        """
        if not self._lines:
            return
        shown = [*self._lines[:_SHOWN]]
        if len(self._lines) > _SHOWN:
            shown.append(f"and {len(self._lines) - _SHOWN} more")
        listed = shown[0] if len(shown) == 1 else "".join(f"\n  {line}" for line in shown)
        raise DataError(f"{self._source} cannot be {self._done}: {listed}")
