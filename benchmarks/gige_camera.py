"""Frames through the real camera protocol on this computer: rate, and what becomes of lost packets.

    python benchmarks/gige_camera.py --frames 600

The simulated GigE Vision device runs in a process of its own; every frame that is taken is compared with what was sent.
`held` is the time after a trigger in which the lights are held: 20 ms as the simulated rig has it (the device looks for
a trigger every 5 ms), or none, where no lights change. The device cannot send a lost packet again, so every frame with
one is refused: `half`.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from glassline.errors import DeviceError
from hardware_ingest.camera.build import build_camera
from hardware_ingest.camera.gige_device import GigeDevice
from hardware_ingest.camera.logic import TriggeredCamera
from hardware_ingest.camera.settings import loopback_camera
from hardware_ingest.devices import Frame

EXPOSURE_US = 1000.0
HELD_US = loopback_camera().trigger_latency_us
ADDRESS = "127.0.0.1"


def _pictures(edge_px: int) -> list[Frame]:
    """Return eight pictures of 12-bit noise; the first pixel is the number."""
    frames_NHW = np.random.default_rng(edge_px).integers(0, 4096, (8, edge_px, edge_px), np.uint16)
    frames_NHW[:, 0, 0] = np.arange(8)
    return list(frames_NHW)


def _serve(edge_px: int, lost_packets: float) -> None:
    pictures, seen = _pictures(edge_px), iter(range(sys.maxsize))

    def see(*_: float) -> Callable[[], Frame]:
        return lambda: pictures[next(seen) % 8]

    with GigeDevice(see, address=ADDRESS, lost_packets=lost_packets):
        print("ready", flush=True)
        sys.stdin.read()


def _taken(camera: TriggeredCamera, pictures: list[Frame], frames: int) -> dict[str, int]:
    """Trigger until that many frames were asked for; count what came of them."""
    count = {"whole": 0, "half": 0, "late": 0, "other": 0, "wrong": 0}
    for _ in tqdm(range(frames), leave=False):
        try:
            camera.trigger(EXPOSURE_US)
            frame_HW = camera.read_frame()
            count["whole"] += 1
            count["wrong"] += not np.array_equal(frame_HW, pictures[int(frame_HW[0, 0])])
        except DeviceError as error:
            fault = next((name for name in ("half", "late") if name in str(error)), "other")
            count[fault] += 1
            camera.ensure_ready()
    return count


def _row(edge_px: int, packet_bytes: int, lost_packets: float, held_us: float, frames: int) -> list[str]:
    changes = {"packet_bytes": packet_bytes, "trigger_latency_us": held_us, "clock_synchronised": held_us > 0}
    settings = loopback_camera(ADDRESS, edge_px, edge_px).model_copy(update=changes)
    pictures = _pictures(edge_px)
    command = [sys.executable, __file__, "--serve", str(edge_px), "--lost-packets", str(lost_packets)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as device:
        assert device.stdout
        assert device.stdout.readline() == "ready\n"
        camera = build_camera(settings)
        camera.ensure_ready()
        camera.start_acquiring()
        began_s = time.monotonic()
        count = _taken(camera, pictures, frames)
        took_s = time.monotonic() - began_s
        camera.ensure_stopped()
        device.communicate()
    rate_hz = count["whole"] / took_s
    return [
        f"{edge_px} x {edge_px}", str(packet_bytes), f"{lost_packets:.1%}", f"{held_us / 1000:g}", str(frames),
        *(str(count[name]) for name in ("whole", "half", "late", "other", "wrong")),
        f"{rate_hz:.1f}", f"{rate_hz * 2 * edge_px**2 / 1e6:.0f}",
    ]  # fmt: skip


def main(
    frames: Annotated[int, typer.Option(min=1, help="frames asked for in each row")] = 600,
    serve: Annotated[int, typer.Option(hidden=True)] = 0,
    lost_packets: Annotated[float, typer.Option(hidden=True)] = 0.0,
) -> None:
    """Print the table."""
    if serve:
        _serve(serve, lost_packets)
        return
    table = Table(
        "size px", "packet B", "lost", "held ms", "asked", "whole", "half", "late", "other", "wrong", "frames/s",
        "MB/s", title="12 bits sent as Mono16 over loopback",
    )  # fmt: skip
    for edge_px in (1024, 2048):
        for packet_bytes in (8000, 1400):
            for lost, held_us in ((0.0, 0.0), (0.0, HELD_US), (0.001, HELD_US), (0.01, HELD_US)):
                table.add_row(*_row(edge_px, packet_bytes, lost, held_us, frames if not lost else min(frames, 200)))
    Console(width=130).print(table)


if __name__ == "__main__":
    typer.run(main)
