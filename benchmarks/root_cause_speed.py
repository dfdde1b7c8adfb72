"""Time and peak memory of the search for repeating marks, and of numpy.median over the same stack.

    python benchmarks/root_cause_speed.py --part frames    # 30 line-scan frames of 8192 x 12800
    python benchmarks/root_cause_speed.py --part tiles     # 1046 images of 512 x 512

Images are generated into a temporary folder: noise, and one scratch on all. Frames are uncompressed TIFF, read where
they lie, or PNG (`--kind png`), decoded once each and spooled; tiles are PNG. Each measurement runs in a process of its
own, so that its peak memory is its own. numpy.median takes the gradients of a whole window at once, as one would write
it; of frames, whose stack would take 12 GB twice, it gets a sixteenth of the rows, and its time is multiplied.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import tifffile
import typer
from rich.console import Console
from rich.table import Table

from glassline.analysis.root_cause import find_root_cause, window_starts
from glassline.data.images import read_grey
from glassline.vision.median_gradients import gradients, median
from glassline.vision.repeating_marks import RootCauseSettings

WINDOW, SHARE = 30, 16
SIZES = {"frames": (30, 12800, 8192), "tiles": (1046, 512, 512)}


def _write(folder: Path, part: str, kind: str) -> None:
    count, height, width = SIZES[part]
    rng = np.random.default_rng(0)
    # One block of noise, moved about: drawing 3 billion pixels anew would take longer than what is measured.
    noise_HW = np.clip(rng.normal(110, 8, (height + 256, width + 256)), 0, 255).astype(np.uint8)
    for number in range(count):
        top, left = rng.integers(0, 256, 2)
        grey_HW = noise_HW[top : top + height, left : left + width].copy()
        if number % 2:
            grey_HW = grey_HW[::-1].copy()
        cv2.line(grey_HW, (width // 3, height // 3), (width // 3 + 90, height // 3 + 60), 125, 2)
        path = folder / f"{number:04d}.{kind}"
        if kind == "tif":
            tifffile.imwrite(path, grey_HW)
        else:
            cv2.imwrite(str(path), grey_HW, [cv2.IMWRITE_PNG_COMPRESSION, 1])


def _search(folder: Path, part: str) -> str:
    (result,) = find_root_cause(folder, RootCauseSettings(window=WINDOW), tell=lambda line: print(line, flush=True))
    return ", ".join(f"{mark.bbox_px} on {len(mark.images)}" for mark in result.marks)


def _medians(take: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path, str], str]:
    def run(folder: Path, part: str) -> str:
        paths = sorted(folder.iterdir())
        rows = slice(0, SIZES[part][1] // (SHARE if part == "frames" else 1))
        for start in window_starts(len(paths), WINDOW):
            pairs = [gradients(read_grey(path)[rows]) for path in paths[start : start + WINDOW]]
            began = time.monotonic()
            for axis in (0, 1):
                take(np.stack([pair[axis] for pair in pairs]))
            _medians.seconds += time.monotonic() - began  # type: ignore[attr-defined]
        return f"medians alone {_medians.seconds * (SHARE if part == 'frames' else 1):.1f} s"  # type: ignore[attr-defined]

    return run


_medians.seconds = 0.0  # type: ignore[attr-defined]

METHODS = {
    "find_root_cause": _search,
    "network median of gradients": _medians(median),
    "numpy.median of gradients": _medians(lambda stack: np.median(stack, axis=0)),
}


def _measured(name: str, folder: Path, part: str, pipe: "multiprocessing.connection.Connection") -> None:
    began = time.monotonic()
    said = METHODS[name](folder, part)
    # Not `ru_maxrss`, which a new process takes over from the one that started it.
    status = Path("/proc/self/status").read_text()
    (peak,) = [int(line.split()[1]) / 2**20 for line in status.splitlines() if line.startswith("VmHWM")]
    pipe.send((time.monotonic() - began, time.process_time(), peak, said))


def main(
    part: Annotated[Literal["frames", "tiles"], typer.Option(help="what is searched")] = "tiles",
    kind: Annotated[Literal["tif", "png"], typer.Option(help="file format of frames")] = "tif",
) -> None:
    """Measure one part and print a table."""
    columns = "method", "seconds", "processor seconds", "peak RSS, GiB", "result"
    table = Table(*columns, title=f"{part}: {SIZES[part]}, window {WINDOW}")
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        _write(folder, part, kind if part == "frames" else "png")
        for name in METHODS:
            ours, theirs = context.Pipe()
            process = context.Process(target=_measured, args=(name, folder, part, theirs))
            process.start()
            theirs.close()
            seconds, processor, peak, said = ours.recv()
            process.join()
            table.add_row(name, f"{seconds:.1f}", f"{processor:.1f}", f"{peak:.2f}", said)
    Console(width=160).print(table)


if __name__ == "__main__":
    typer.run(main)
