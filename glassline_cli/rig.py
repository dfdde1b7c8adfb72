"""`glassline rig-simulator` serves a simulated rig by the real protocols; `glassline rig-check` checks any rig."""

from pathlib import Path
from typing import Annotated

import typer


def rig_simulator(
    ready_file: Annotated[Path, typer.Option(help="Rig file to write once everything is served.")],
    columns: Annotated[int, typer.Option(min=1, help="Zones along x.")] = 2,
    rows: Annotated[int, typer.Option(min=1, help="Zones along y.")] = 1,
    zone_px: Annotated[int, typer.Option(min=64, max=2048, help="Edge of a zone.")] = 1024,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the glasses.")] = 0,
    difficulty: Annotated[str, typer.Option(help="Preset of the glasses.")] = "standard",
    address: Annotated[str, typer.Option(help="IP address of the camera, one per simulator.")] = "127.0.0.1",
    packet_loss: Annotated[float, typer.Option(min=0, max=1, help="Share of the camera's packets lost.")] = 0.0,
) -> None:
    """Serve a camera (GigE Vision), a ring of lights (Modbus/TCP) and a stage (GRBL on a terminal) until stopped.

    Lines on standard input put another glass on the stage and break or mend devices: `glass G0001 marked`, `dead 4`,
    `stuck 7`, `lights-gone`, `lights-back`, `alarm`, `noise 0.05`, `silent`, `slow 3`, `loss 0.01`,
    `camera-gone`, `camera-back`, `mend`, and `state` tells what is lit and whether the stage moves.

    Example: glassline rig-simulator --ready-file rig.yaml
    """
    import signal
    import sys
    import threading

    from rich.console import Console

    from glassline.errors import GlasslineError
    from hardware_ingest.simulated_rig.glasses import Glasses, simulated_rig
    from hardware_ingest.simulated_rig.served import ServedRig
    from hardware_ingest.zones import ZoneGrid

    console = Console(soft_wrap=True, highlight=False)
    overlap_px = min(256, zone_px // 4)
    grid = ZoneGrid(columns=columns, rows=rows, width_px=zone_px, height_px=zone_px, overlap_px=overlap_px)
    settings = simulated_rig(grid, difficulty)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())

    def listen() -> None:
        for line in filter(str.strip, sys.stdin):
            try:
                console.print(rig.tell(line.strip()), markup=False)
            except GlasslineError as error:
                console.print(f"error: {error}", markup=False)

    glasses = Glasses(settings, difficulty, seed)
    with ServedRig(settings, glasses.scene, address, packet_loss) as rig:
        rig.write_rig(ready_file)
        console.print(f"ready: glassline capture --rig {ready_file} --glass G0001 --out captures", markup=False)
        threading.Thread(target=listen, daemon=True).start()
        done.wait()
    ready_file.unlink(missing_ok=True)


def rig_check(
    rig: Annotated[Path, typer.Option(help="The rig's YAML file.")],
    times: Annotated[int, typer.Option(min=1, max=100, help="Ways there and back.")] = 5,
) -> None:
    """Check every LED group, and how well the stage comes back to a place: by its report and by the camera.

    Put a glass with some dust on the stage.

    Example: glassline rig-check --rig rig.yaml
    """
    from rich.console import Console

    from hardware_ingest.rig.build import build_rig
    from hardware_ingest.rig.settings import read_rig
    from hardware_ingest.session.rig_check import check_rig

    found = check_rig(build_rig(read_rig(rig)), times)
    Console(soft_wrap=True, highlight=False).print(
        f"12 LED groups do as told; over {times} returns the stage came to stand at most {found.reported_um:.1f} um "
        f"beside the first by its own report, {found.seen_um:.1f} um by the camera"
    )
