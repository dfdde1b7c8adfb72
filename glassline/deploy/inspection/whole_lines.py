"""A file that grows by whole lines: what a kill or a full disk tore is cut off, what was told stays."""

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from glassline.data.storage import FULL, ready_folder
from glassline.errors import StorageError

_BLOCK = 2**16


class WholeLines:
    """Append lines to a file, each whole or not at all."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a torn last line is cut off.

        Raises:
            StorageError: It may not be written, or another inspection writes it.
        """
        ready_folder(path.parent)
        self.path = path
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
        except OSError as error:
            raise StorageError(
                f"{path} must be a file that may be written ({error.strerror}); choose another --out"
            ) from error
        self._lock()
        os.ftruncate(self._file, self._whole_bytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def append(self, text: str, kept: bool = True) -> None:
        """Add lines.

        Args:
            text: Lines, each with its end.
            kept: Whether they are on the disk when this returns.

        Raises:
            StorageError: The disk is full or refuses; the file is as it was.
        """
        content, before = text.encode(), os.lseek(self._file, 0, os.SEEK_END)
        try:
            done = 0
            while done < len(content):
                done += os.write(self._file, content[done:])
            if kept:
                os.fsync(self._file)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, before)
            told = "needs more space than its disk has" if error.errno in FULL else "must be a file that takes lines"
            raise StorageError(f"{self.path} {told} ({error.strerror}); free some, or choose another --out") from error

    def hold(self, first: str, count: int) -> bool:
        """Return whether there are so many lines, the first of which is a given one."""
        with open(self.path, "rb") as stream:
            if stream.readline() != first.encode():
                return False
            return 1 + sum(block.count(b"\n") for block in iter(lambda: stream.read(16 * _BLOCK), b"")) == count

    def clear(self) -> None:
        """Remove all lines."""
        os.ftruncate(self._file, 0)

    def _lock(self) -> None:
        """Keep other inspections away until the process ends; where the system has no such locks, trust the caller."""
        try:
            import fcntl
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._file)
            raise StorageError(
                f"{self.path} must be written by one inspection at a time, another one is at it; wait for its end, or "
                "choose another --out"
            ) from error

    def _whole_bytes(self) -> int:
        """Return how many bytes whole lines have."""
        end = os.lseek(self._file, 0, os.SEEK_END)
        while end > 0:
            start = max(0, end - _BLOCK)
            os.lseek(self._file, start, os.SEEK_SET)
            found = os.read(self._file, end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
        return 0
