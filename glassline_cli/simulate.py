"""`glassline simulate`: data sets from simulated optics."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

app = typer.Typer(name="simulate", no_args_is_help=True)


class Location(StrEnum):
    """Whether the place of a spot tells its class."""

    informative = "informative"
    uninformative = "uninformative"


@app.callback()
def simulate() -> None:
    """Make data sets from simulated optics."""


@app.command("line-scan")
def line_scan(
    samples: Annotated[int, typer.Option(help="Annotated spots in all; 12 lie on a glass.")],
    out: Annotated[Path, typer.Option(help="Missing or empty folder for images/ and annotations.json.")],
    seed: Annotated[int, typer.Option(help="Seed; the same gives the same bytes.")] = 0,
    location: Annotated[
        Location, typer.Option(help="Each defect has its usual places, or all classes lie anywhere alike.")
    ] = Location.informative,
) -> None:
    """Write a COCO data set of simulated line-scan views of glass, 75 x 150 mm at 100 um a pixel.

    Example: glassline simulate line-scan --samples 2400 --seed 0 --out data/line-scan
    """
    from rich.console import Console
    from rich.progress import Progress

    from hardware_ingest.line_scan.dataset import simulate_line_scan
    from hardware_ingest.line_scan.settings import LineScanSettings

    console = Console()
    settings = LineScanSettings.parse({"location": location.value})
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        report = _bar(bar) if console.is_terminal else _lines(console)
        written = simulate_line_scan(samples, seed, out, settings, report)
    console.print(f"written: {written}", markup=False, soft_wrap=True)


def _bar(bar: "Progress") -> "Callable[[int, int], None]":
    task = bar.add_task("rendering glasses", total=None)
    return lambda done, total: bar.update(task, completed=done, total=total)


def _lines(console: "Console") -> "Callable[[int, int], None]":
    """Report about ten times, each on a line of its own."""

    def report(done: int, total: int) -> None:
        if done == total or done % max(total // 10, 1) == 0:
            console.print(f"rendering glasses: {done} of {total}", soft_wrap=True)

    return report
