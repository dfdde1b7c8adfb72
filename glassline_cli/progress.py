"""Progress of long work: a bar on a terminal, about ten plain lines in a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress


@contextmanager
def progress_of(what: str, console: Console) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call with (done, total).

    Args:
        what: What is being done, such as `reading images`.
        console: Where to show it.
    """

    def line(done: int, total: int) -> None:
        if done == total or done % max(total // 10, 1) == 0:
            console.print(f"{what}: {done} of {total}", markup=False, highlight=False, soft_wrap=True)

    if not console.is_terminal:
        yield line
        return
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
