"""How long does a simulated glass take, and what of it is the noise that nothing can do without?

    python benchmarks/render_glass.py

One clean glass of each size with its truth: rendered only, rendered and written, and beside both as many
normal numbers alone as it has pixels. Goals on 2 cores: 2 s for demo size, 60 s for full size.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses
from hardware_ingest.dark_field.truth import true_objects
from hardware_ingest.devices import LIGHT_STATES


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _render(settings: GlassSetSettings, threads: int) -> None:
    scene = settings.scene(1, "clean")
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda zone: true_objects(scene.capture(zone)[0]), settings.grid.zones()))


def _noise(settings: GlassSetSettings, threads: int) -> None:
    grid = settings.grid

    def frames(seed: int) -> None:
        rng = np.random.Generator(np.random.SFC64(seed))
        band_HW = np.empty((64, grid.width_px), np.float32)
        for _ in range(LIGHT_STATES * grid.height_px // 64):
            rng.standard_normal(out=band_HW, dtype=np.float32)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(frames, range(grid.columns * grid.rows)))


def _write(settings: GlassSetSettings) -> tuple[float, float]:
    """Return seconds and bytes on disk."""
    with tempfile.TemporaryDirectory() as folder:
        seconds = _seconds(lambda: simulate_glasses(settings, Path(folder) / "out"))
        return seconds, sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def main(
    seed: Annotated[int, typer.Option(min=0)] = 0,
    difficulty: Annotated[str, typer.Option(help="preset")] = "standard",
    threads: Annotated[int, typer.Option(min=1)] = 2,
) -> None:
    """Print one line per size."""
    for size in ("demo", "full"):
        settings = GlassSetSettings.parse(
            {"glasses": 1, "size": size, "seed": seed, "difficulty": difficulty, "marked": False}
        )
        grid = settings.grid
        pixels = grid.columns * grid.rows * LIGHT_STATES * grid.width_px * grid.height_px
        noise = _seconds(lambda settings=settings: _noise(settings, threads))
        render = _seconds(lambda settings=settings: _render(settings, threads))
        written, stored = _write(settings)
        print(
            f"{size}: {pixels / 1e6:.0f} Mpx  normals alone {noise:.2f} s  rendered {render:.2f} s "
            f"({render / noise:.1f} x)  rendered and written {written:.2f} s  "
            f"{pixels * 2 / stored:.2f} times smaller than 16 bits"
        )


if __name__ == "__main__":
    typer.run(main)
