"""Frames through the simulated rig by the real protocols: how fast, how many lost, and what the overlap gains.

    python benchmarks/rig.py --out runs/rig

GigE Vision, Modbus/TCP and GRBL on loopback, zones of 1024 x 1024 px and 6 light states. Sessions with lost packets
and the two orders of read-out take 10 zones. Every zone is verified afterwards.
"""

import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from glassline.data.captures.store import open_captures
from hardware_ingest.devices import Camera, CameraInfo, Frame
from hardware_ingest.rig.build import build_rig
from hardware_ingest.rig.settings import RigSettings, read_rig
from hardware_ingest.session.record import Job
from hardware_ingest.session.result import SessionResult
from hardware_ingest.session.session import capture_glass
from hardware_ingest.simulated_rig.process import simulator

SEED = 0
COLUMNS = 10

#: Of a frame's 263 packets of 8000 bytes one in a hundred lost leaves 7 frames of 100 whole.
FRAME_RETRIES = 200

#: The overlap is measured with a read-out of 50 ms (a third of a full-size frame over gigabit Ethernet) and lights that
#: settle for 10 ms, turn by turn.
READ_OUT_S, LIGHTS_MS, TURNS = 0.05, 10.0, 5


class ReadOutFirst:
    """A camera whose trigger returns only once the frame is there: nothing overlaps its read-out."""

    def __init__(self, camera: Camera) -> None:
        """Take the camera."""
        self.name, self._camera = camera.name, camera
        self._frame: Frame | None = None

    def ensure_ready(self) -> CameraInfo:
        """Pass on."""
        return self._camera.ensure_ready()

    def start_acquiring(self) -> None:
        """Pass on."""
        self._camera.start_acquiring()

    def trigger(self, exposure_us: float) -> None:
        """Expose and read."""
        self._camera.trigger(exposure_us)
        self._frame = self._camera.read_frame()

    def read_frame(self) -> Frame:
        """Return what was read."""
        assert self._frame is not None
        return self._frame

    def ensure_stopped(self) -> None:
        """Pass on."""
        self._camera.ensure_stopped()


def _session(what: str, settings: RigSettings, rows: int, out: Path, overlap: bool = True) -> SessionResult:
    """Capture a glass of its own, verify it, and print a line."""
    settings = settings.model_copy(
        update={"grid": settings.grid.model_copy(update={"rows": rows}), "frame_retries": FRAME_RETRIES}
    )
    rig = build_rig(settings)
    if not overlap:
        rig = replace(rig, cameras=tuple(ReadOutFirst(camera) for camera in rig.cameras))
    job = Job(glass=what.replace(" ", "-").replace("%", "pc"), product="bench", cycle="1")
    result = capture_glass(rig, job, out, lambda event: None)
    captures = open_captures(out)
    whole = [ref for ref in captures.zones(job.glass) if not captures.verify(ref)]
    wanted = rows * COLUMNS * len(settings.light_states)
    lost = wanted - sum(captures.shape(ref)[0] for ref in whole)
    print(
        f"{what:<22} {wanted:>4} frames, {lost} lost, {result.retaken:>4} frames and {result.retries} zones again, "
        f"{result.frames_per_s:5.1f} frames/s, {result.megabytes_per_s:5.1f} MB/s",
        flush=True,
    )
    return result


def main(
    out: Annotated[Path, typer.Option(help="folder for captures/, emptied first")],
    rows: Annotated[int, typer.Option(min=1, max=30, help="rows of 10 zones in the long session")] = 10,
    address: Annotated[str, typer.Option(help="IP address of the simulated camera")] = "127.0.0.1",
) -> None:
    """Print one line per session."""
    captures = out / "captures"
    shutil.rmtree(captures, ignore_errors=True)
    options = ("--columns", COLUMNS, "--rows", rows, "--seed", SEED, "--address", address)
    with simulator(out, *options) as process:
        settings = read_rig(process.rig_file)
        _session("no packet lost", settings, rows, captures)
        for percent in (0.1, 1.0):
            process.tell(f"loss {percent / 100:g}")
            _session(f"{percent:g} % of packets lost", settings, 1, captures)
        process.tell("loss 0")
        process.tell(f"slow {READ_OUT_S}")
        slow = settings.model_copy(
            update={"illuminator": settings.illuminator.model_copy(update={"settle_ms": LIGHTS_MS})}
        )
        turns = [
            (
                _session(f"read-out first {turn}", slow, 1, captures, overlap=False).seconds,
                _session(f"read-out overlaps {turn}", slow, 1, captures).seconds,
            )
            for turn in range(TURNS)
        ]
    first_s, overlapped_s = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
    saved_ms = 1000 * (first_s - overlapped_s) / (COLUMNS * len(settings.light_states))
    print(f"overlap, medians: {first_s / overlapped_s:.2f} times as fast, {saved_ms:.1f} ms a frame saved")


if __name__ == "__main__":
    typer.run(main)
