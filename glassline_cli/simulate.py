"""`glassline simulate`: data sets from simulated optics."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

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

    from glassline_cli.progress import progress_of
    from hardware_ingest.line_scan.dataset import simulate_line_scan
    from hardware_ingest.line_scan.settings import LineScanSettings

    console = Console()
    settings = LineScanSettings.parse({"location": location.value})
    with progress_of("rendering glasses", console) as report:
        written = simulate_line_scan(samples, seed, out, settings, report)
    console.print(f"written: {written}", markup=False, soft_wrap=True)
