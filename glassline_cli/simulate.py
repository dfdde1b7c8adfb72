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
    product: Annotated[str, typer.Option(help="Product name.")] = "glass",
    cycle: Annotated[str, typer.Option(help="Product cycle.")] = "1",
) -> None:
    """Write a COCO data set of simulated line-scan views of glass, 75 x 150 mm at 100 um a pixel.

    Example: glassline simulate line-scan --samples 2400 --seed 0 --out data/line-scan
    """
    from rich.console import Console

    from glassline_cli.progress import progress_of
    from hardware_ingest.line_scan.dataset import simulate_line_scan
    from hardware_ingest.line_scan.settings import LineScanSettings

    console = Console()
    settings = LineScanSettings.parse({"location": location.value, "product": product, "cycle": cycle})
    with progress_of("rendering glasses", console) as report:
        written = simulate_line_scan(samples, seed, out, settings, report)
    console.print(f"written: {written}", markup=False, soft_wrap=True)


class Size(StrEnum):
    """Zones of a simulated glass."""

    demo = "demo"
    full = "full"


class Kinds(StrEnum):
    """Which captures of a glass to simulate."""

    clean = "clean"
    both = "both"


@app.command("glass")
def glass(
    glasses: Annotated[int, typer.Option(help="Number of glasses.")],
    out: Annotated[Path, typer.Option(help="Missing or empty folder; written whole or not at all.")],
    size: Annotated[Size, typer.Option(help="2 zones of 1024 x 1024 px, or 10 of 3504 x 3120 px.")] = Size.demo,
    seed: Annotated[int, typer.Option(help="Seed; the same gives the same bytes.")] = 0,
    difficulty: Annotated[
        str, typer.Option(help="easy, standard, hard, faint; unseen is only ever tested on, never trained on.")
    ] = "standard",
    systematic_rate: Annotated[float, typer.Option(help="Share of glasses that one tool scratched, 0 to 1.")] = 0.0,
    kind: Annotated[Kinds, typer.Option(help="Clean captures, or also those after the inspector's pen.")] = Kinds.both,
    product: Annotated[str, typer.Option(help="Product name.")] = "glass",
    cycle: Annotated[str, typer.Option(help="Product cycle.")] = "1",
) -> None:
    """Write captures of simulated glasses under the dark-field rig, with what is true of them.

    OUT/captures holds the zones, truth.json every defect's mask, contaminants.json what is no defect, annotations.json
    the inspector's boxes on the marked captures.

    Example: glassline simulate glass --glasses 40 --seed 0 --out data/glass
    """
    from rich.console import Console

    from glassline_cli.progress import progress_of
    from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses

    console = Console()
    settings = GlassSetSettings.parse(
        {
            "glasses": glasses, "size": size.value, "seed": seed, "difficulty": difficulty, "product": product,
            "systematic_rate": systematic_rate, "marked": kind is Kinds.both, "cycle": cycle,
        }
    )  # fmt: skip
    with progress_of("rendering glasses", console) as report:
        written = simulate_glasses(settings, out, report)
    console.print(f"written: {written}", markup=False, soft_wrap=True)


@app.command("azimuths")
def azimuths(
    out: Annotated[Path, typer.Option(help="PNG to write.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the noise.")] = 0,
) -> None:
    """Draw how bright scratch, dust and stain are while the light turns around them.

    Example: glassline simulate azimuths --out docs/images/azimuths.png
    """
    from rich.console import Console

    from hardware_ingest.dark_field.azimuths import draw_azimuths

    Console().print(f"written: {draw_azimuths(out, seed)}", markup=False, soft_wrap=True)
