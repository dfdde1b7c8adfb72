"""What a person sees of a running pipeline: one line a step, everything else in a log file."""

import contextlib
import io
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from glassline.errors import KINDS, GlasslineError
from glassline.tracking import FAILED, FINISHED, NOTE, STARTED

# A step that failed tells the class of its error after its name.
_KIND = re.compile(rf": ({'|'.join(KINDS)}): ")


class Watcher(io.TextIOBase):
    """A text stream that writes all to a log and tells the screen of steps and notes only."""

    def __init__(self, log: io.TextIOBase, console: Console, steps: int) -> None:
        """Watch a pipeline of `steps` steps."""
        self._log, self._console, self._line = log, console, ""
        self.failure = ""
        self.kind: type[GlasslineError] = GlasslineError
        self.running: list[str] = []
        self.finished = 0
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} of {task.total} steps"),
            TimeElapsedColumn(), console=console, transient=True, disable=not console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("starting", total=steps)

    def write(self, text: str) -> int:
        """Take what a step or kfp prints."""
        self._log.write(text)
        self._log.flush()
        self._line += text
        *lines, self._line = self._line.split("\n")
        for line in lines:
            self._tell(line)
        return len(text)

    def writable(self) -> bool:
        """Say that it may be written to."""
        return True

    def isatty(self) -> bool:
        """Say that it is no terminal, so that nobody colours the log."""
        return False

    def _tell(self, line: str) -> None:
        for mark, style in ((STARTED, "dim"), (FINISHED, "green"), (NOTE, "yellow"), (FAILED, "red")):
            if mark not in line:
                continue
            text = line.split(mark, 1)[1].strip()
            if mark == FAILED:
                text = self._keep_failure(text)
            if mark == STARTED:
                self.running.append(text)
            elif mark in {FINISHED, FAILED}:
                self.running = [name for name in self.running if not text.startswith(name)]
            if mark == FINISHED:
                self.finished += 1
                self._progress.update(self._task, completed=self.finished)
            elif mark == STARTED:
                self._progress.update(self._task, description=escape(text))
                if self._console.is_terminal:
                    return
            word = mark.split("> ")[1]
            self._console.print(f"[{style}]{word:>9}[/] {escape(text)}", highlight=False, soft_wrap=True)

    def _keep_failure(self, text: str) -> str:
        """Keep the first failure and the class of its error, which people are not told."""
        told = _KIND.search(text)
        shown = _KIND.sub(": ", text, count=1)
        if not self.failure:
            self.failure, self.kind = shown, KINDS[told[1]] if told else GlasslineError
        return shown

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Redirect standard output and error of this process while the pipeline runs."""
        with self._progress, contextlib.redirect_stdout(self), contextlib.redirect_stderr(self):
            yield


@contextlib.contextmanager
def watched(log_path: Path, steps: int) -> Iterator[Watcher]:
    """Open a watcher whose log lies at `log_path`; what it tells goes to the real standard output."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with open(log_path, "a", encoding="utf-8") as log:
        log.write(f"--- {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}\n")
        watcher = Watcher(log, Console(file=sys.stdout), steps)
        with watcher.watching():
            yield watcher
