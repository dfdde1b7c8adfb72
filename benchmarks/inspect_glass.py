"""How long does one full-size glass take from the store to its scratches, and how much memory?

    python benchmarks/inspect_glass.py
    python benchmarks/inspect_glass.py --model MODEL --device cuda

Ten simulated zones of 6 x 3504 x 3120 px, zone by zone: read, network's input, network, scratches. Torch eager against
each runtime and precision, each in a process of its own, one after the other in one run; the next zone is read
meanwhile, as the inspector does. CPU seconds tell more on a machine that does other work; with several threads they
count what waits for the others too. `score` is the largest difference of a score from torch's on the first tile. The
network is untrained unless a model is named: its scores mean nothing, its time does. Its thresholds are set so that 5
pixels in 10,000 pass, as of a dirty zone, for the time of the last stage. Goals: the best runtime at least 3 times as
fast as torch eager on the CPU, at most 4 GB, scratches at most 5 % of the time.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from glassline.data.captures.store import Captures, open_captures
from glassline.deploy.bundle import load_bundle
from glassline.deploy.graphs import open_graph
from glassline.deploy.segmenter import Segmenter
from glassline.vision import tiles as tiles_of_zone
from glassline.vision.scratches import FindSettings, find_scratches
from glassline.vision.tiles import TileSettings

RUNS = {
    "torch eager": ("torch", "f32"), "onnxruntime f32": ("onnxruntime", "f32"), "openvino f32": ("openvino", "f32"),
    "openvino bf16": ("openvino", "bf16"),
}  # fmt: skip
STAGES = ("waiting for the store", "network_input", "network", "scratches")


def _fitted(model: str, width: float) -> Any:
    import torch

    from glassline.data.captures.zone_format import ZoneFormat
    from glassline.models.segmenters import build_segmenter
    from glassline.training.fitted_segmenter import FittedSegmenter, load_segmenter
    from glassline.training.losses import build_loss
    from glassline.training.settings import SegmentationSettings

    if model:
        return load_segmenter(model)
    torch.manual_seed(0)
    settings = SegmentationSettings.parse({"unet": {"width": width}})
    azimuths_deg = tuple(30.0 * state for state in range(6))
    of = ZoneFormat(azimuths_deg=azimuths_deg, pattern="GRBG", bit_depth=12, pitch_um=11.4)
    return FittedSegmenter(build_segmenter(6, settings.unet).eval(), build_loss(settings.loss), settings, of)


def _export(model: str, width: float, tile_px: int, overlap_px: int, bundle: Path) -> None:
    from glassline.deploy.export_segmenter import export_bundle

    fitted = _fitted(model, width)
    states = 1 if fitted.settings.direction_blind else fitted.format.states
    tile_BSHW = np.random.default_rng(0).normal(0, 3, (1, states, 256, 256)).astype(np.float32)
    cut = TileSettings(tile_px=tile_px, overlap_px=overlap_px)
    export_bundle(fitted, bundle, [tile_BSHW], cut, FindSettings(), "", "", {})


class _Clock:
    """Seconds of each stage."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    def timed(self, stage: str, call: Any) -> Any:
        def timed(*arguments: Any) -> Any:
            began = time.perf_counter()
            result = call(*arguments)
            self.seconds[stage] += time.perf_counter() - began
            return result

        return timed


def _torch_run(model: str, width: float, device: str) -> Any:
    import torch

    from glassline.training.fitted_segmenter import ScoreGraph

    graph = ScoreGraph(_fitted(model, width)).eval().to(device, memory_format=torch.channels_last)

    def run(sigmas_BSHW: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return graph(torch.from_numpy(sigmas_BSHW).to(device)).float().cpu().numpy()

    return run


def _inspect(captures: Captures, segmenter: Segmenter, clock: _Clock, zones: int) -> int:
    """Return how many scratches were found."""
    refs, found = captures.zones(kind="clean")[:zones], 0
    find = clock.timed("scratches", find_scratches)
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(segmenter.read, captures, refs[0])
        for number in range(len(refs)):
            meta, frames_SHW = clock.timed("waiting for the store", ahead.result)()
            if number + 1 < len(refs):
                ahead = pool.submit(segmenter.read, captures, refs[number + 1])
            found += len(find(segmenter.score_frames(frames_SHW, meta.pitch_um), segmenter.find))
    return found


def _one(name: str, folder: Path, model: str, width: float, device: str, threads: int, zones: int) -> dict[str, Any]:
    """Inspect the glass in this process and return what it took."""
    runtime, precision = RUNS[name]
    bundle, clock = load_bundle(folder / "bundle.zip"), _Clock()
    segmenter = Segmenter(bundle, threads)
    if runtime == "torch":
        import torch

        torch.set_num_threads(threads)
        segmenter.run = _torch_run(model, width, device)
    else:
        _, segmenter.run = open_graph(bundle.files["model.onnx"], threads, precision, runtime)
    captures = open_captures(folder / "glass" / "captures")
    _, frames_SHW = segmenter.read(captures, captures.zones(kind="clean")[0])
    sigmas_BSHW = tiles_of_zone.network_input(
        frames_SHW[:, :512, :512], segmenter.format.pattern, segmenter.direction_blind
    )[None]
    score_hw = segmenter.run(np.ascontiguousarray(sigmas_BSHW))[0]  # warms up
    if not model:
        # An untrained network finds everything or nothing; so many pixels are over the threshold in a dirty zone.
        passed = float(np.clip(np.quantile(score_hw, 0.9995), 1e-3, 0.99))
        segmenter.find = FindSettings(low=passed, high=passed)
    find_scratches(segmenter.score_frames(frames_SHW[:, :512, :512], 10), segmenter.find)  # loads its libraries
    tiles_of_zone.network_input = clock.timed("network_input", tiles_of_zone.network_input)
    segmenter.run = clock.timed("network", segmenter.run)
    began, began_cpu = time.perf_counter(), time.process_time()
    found = _inspect(captures, segmenter, clock, zones)
    seconds, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    np.save(folder / f"{name}.npy", score_hw)
    return {"seconds": seconds, "cpu": cpu, "peak_gb": peak_gb, "found": found, **clock.seconds}


def main(
    model: Annotated[str, typer.Option(help="folder of a trained network; untrained by default")] = "",
    width: Annotated[float, typer.Option(help="width of the untrained network")] = 0.25,
    zones: Annotated[int, typer.Option(min=1, max=10, help="zones of the glass")] = 10,
    tile_px: Annotated[int, typer.Option()] = 1024,
    overlap_px: Annotated[int, typer.Option()] = 128,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    device: Annotated[str, typer.Option(help="of the torch row: cpu or cuda")] = "cpu",
    glass: Annotated[Path | None, typer.Option(help="folder with captures/ of a glass; simulated by default")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    only: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print one row per runtime."""
    if only and folder:
        print(json.dumps(_one(only, folder, model, width, device, threads, zones)))
        return
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        if glass:
            (work / "glass").symlink_to(glass.resolve())
        else:
            from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses

            told = {"glasses": 1, "size": "full", "seed": seed, "marked": False}
            simulate_glasses(GlassSetSettings.parse(told), work / "glass")
        _export(model, width, tile_px, overlap_px, work / "bundle.zip")
        rows = {}
        for name in RUNS:
            more = ["--model", model, "--width", width, "--device", device, "--threads", threads, "--zones", zones]
            call = [sys.executable, __file__, "--only", name, "--folder", work, *more]
            done = subprocess.run([str(word) for word in call], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stderr}")
            rows[name] = json.loads(done.stdout.splitlines()[-1])
            rows[name]["score"] = np.load(work / f"{name}.npy")
    _print(rows, f"{zones} zones, {Path(model).name or f'untrained, width {width:g}'}, tiles of {tile_px} px, "
           f"{threads} threads, torch on {device}")  # fmt: skip


def _print(rows: dict[str, dict[str, Any]], title: str) -> None:
    took = ("seconds", "times torch", "CPU seconds", "times torch", "peak GB")
    table = Table("runtime", *took, *(f"{stage} %" for stage in STAGES), "score", title=title)
    base = rows["torch eager"]
    for name, row in rows.items():
        apart = float(np.abs(row["score"] - base["score"]).max())
        shares = [f"{100 * row[stage] / row['seconds']:.1f}" for stage in STAGES]
        table.add_row(name, f"{row['seconds']:.1f}", f"{base['seconds'] / row['seconds']:.2f}",
                      f"{row['cpu']:.1f}", f"{base['cpu'] / row['cpu']:.2f}",
                      f"{row['peak_gb']:.2f}", *shares, f"{apart:.1e}")  # fmt: skip
    Console(width=190).print(table)


if __name__ == "__main__":
    typer.run(main)
