"""`glassline capture`: take a glass through the rig, or go on where an earlier session stopped."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hardware_ingest.rig.build import Rig
    from hardware_ingest.session.result import Retried, Written


class GlassKind(StrEnum):
    """Before or after the inspector's pen."""

    clean = "clean"
    marked = "marked"


class SimulatedRig(StrEnum):
    """Dark field with 2 zones of 1024 x 1024 px or 10 of 3504 x 3120 px, or line scan."""

    demo = "demo"
    full = "full"
    line = "line-scan"


def capture(
    glass: Annotated[str, typer.Option(help="Glass id.")],
    out: Annotated[Path, typer.Option(help="Folder of captures; a session stopped there goes on.")],
    rig: Annotated[Path | None, typer.Option(help="The rig's YAML file; a simulated rig without it.")] = None,
    kind: Annotated[GlassKind, typer.Option(help="Before or after the inspector's pen.")] = GlassKind.clean,
    product: Annotated[str, typer.Option(help="Product of the glass.")] = "glass",
    cycle: Annotated[str, typer.Option(help="Product cycle.")] = "1",
    size: Annotated[SimulatedRig, typer.Option(help="Which simulated rig.")] = SimulatedRig.demo,
    seed: Annotated[int, typer.Option(min=0, help="Seed of simulated glass.")] = 0,
    difficulty: Annotated[str, typer.Option(help="Preset of simulated glass.")] = "standard",
) -> None:
    """Capture every zone of a glass: move, settle, and for each light state switch, expose, read.

    Give the same command again after a fault: zones that are whole are not taken again.

    Example: glassline capture --rig rig.yaml --glass G0001 --kind clean --product P1 --cycle 2 --out captures
    """
    from rich.console import Console

    from hardware_ingest.session.record import Job
    from hardware_ingest.session.session import capture_glass

    console = Console(soft_wrap=True, highlight=False)
    job = Job.parse({"glass": glass, "kind": kind.value, "product": product, "cycle": cycle})
    devices = _rig(rig, job.glass, kind, size, seed, difficulty)
    total, whole = len(devices.settings.grid.zones()), 0

    def tell(event: "Written | Retried") -> None:
        nonlocal whole
        from hardware_ingest.session.result import Written

        if isinstance(event, Written):
            whole += 1
            told = f"{event.ref.image_name}: {event.frames} frames, {event.raw_bytes / 1e6:.1f} MB ({whole} of {total})"
        else:
            told = f"{event.what}, try {event.attempt} failed: {event.why}"
        console.print(told, markup=False)

    result = capture_glass(devices, job, out, tell)
    if not result.zones:
        console.print(f"{glass} ({kind.value}): all {result.already_whole} zones were whole already", markup=False)
        return
    console.print(
        f"{glass} ({kind.value}): {result.zones} zones, {result.frames} frames in {result.seconds:.1f} s, "
        f"{result.frames_per_s:.1f} frames/s, {result.megabytes_per_s:.0f} MB/s, {result.retaken} frames and "
        f"{result.retries} zones taken again; in {out}",
        markup=False,
    )


def _rig(path: Path | None, glass: str, kind: GlassKind, size: SimulatedRig, seed: int, difficulty: str) -> "Rig":
    """Return the rig of a file, or the simulated one with the wanted glass on its stage."""
    from hardware_ingest.rig.build import build_rig, needs_bench
    from hardware_ingest.rig.settings import read_rig
    from hardware_ingest.simulated_rig.bench import Bench
    from hardware_ingest.simulated_rig.glasses import Glasses, simulated_line_rig, simulated_rig
    from hardware_ingest.zones import demo_grid, full_grid

    if path:
        settings = read_rig(path)
    elif size is SimulatedRig.line:
        settings = simulated_line_rig()
    else:
        settings = simulated_rig(demo_grid() if size is SimulatedRig.demo else full_grid(), difficulty)
    if not needs_bench(settings):
        return build_rig(settings)
    return build_rig(settings, Bench(Glasses(settings, difficulty, seed).scene(glass, kind.value), settings.stage))
