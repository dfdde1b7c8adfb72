"""How fast is the severity detector: a block of 256 x 256 px, the paper's Table 8, an image of 8192 x 12800 px?

    python benchmarks/detector_speed.py --model runs/dagm/detector-0 --threads 2

Source of the table: He and Liu 2020, Table 8 (milliseconds of a batch on a GTX 1080 Ti). Weights do not change the
time: without `--model` they are random. Runs of what is compared alternate, and medians are told, since a machine is
seldom alone. A large image is scored by a process of its own without torch, whose peak memory is that of its whole
life.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from glassline.bench.catalogue import find_entry
from glassline.bench.measures.speed import BATCHES, BLOCK_PX, KINDS

#: Height and width of a line-scan image; images of a cover glass.
SIZE_PX, IMAGES = (8192, 12800), 7

Run = Callable[[np.ndarray], Any]


def main(
    model: Annotated[Path | None, typer.Option(help="saved detector; random weights when left out")] = None,
    threads: Annotated[int, typer.Option(min=1, help="threads of every runtime")] = os.cpu_count() or 1,
    repetitions: Annotated[int, typer.Option(min=1, help="of each measurement")] = 7,
    parts: Annotated[str, typer.Option(help="what is measured: blocks, table, image")] = "blocks,table,image",
    tile_cells: Annotated[list[int] | None, typer.Option(help="edges of tiles to compare, of the image")] = None,
    child: Annotated[str, typer.Option(hidden=True, help="one measurement of the image, as JSON")] = "",
) -> None:
    """Measure and print; the image needs 0.2 GB of disk in the temporary folder."""
    if child:
        print(json.dumps(_score_image(**json.loads(child))))
        return
    with tempfile.TemporaryDirectory() as folder:
        if "blocks" in parts:
            _blocks(model, threads, repetitions)
        if "table" in parts:
            _table(threads, max(1, repetitions // 2))
        if "image" in parts:
            _images(model, threads, tile_cells or [128, 256, 384, 512, 768], Path(folder))


def _blocks(model: Path | None, threads: int, repetitions: int) -> None:
    runs = _runs(_fitted(model, False, 4), threads)
    for batch in (1, 8):
        images = _noise(batch, BLOCK_PX, BLOCK_PX)
        taken_ms = _interleaved(runs, images, repetitions * 3)
        print(f"\ngrey 4x4, batches of {batch}, {threads} threads: ms a block, median")
        for name, taken in taken_ms.items():
            print(f"  {name:25} {taken / batch:8.2f}   {taken_ms['torch f32'] / taken:6.1f} times torch f32")


def _table(threads: int, repetitions: int) -> None:
    for kind, (colour, cell_px) in KINDS.items():
        runs = _runs(_fitted(None, colour, cell_px), threads)
        chosen = [name for name in runs if name == "torch f32" or name.startswith(("torch half", "openvino"))]
        print(f"\n{kind}: ms a batch, median; published on a GTX 1080 Ti")
        print("  batch " + "".join(f"{name:>18}" for name in [*chosen, "published"]))
        for batch in BATCHES:
            published = round(find_entry("e-table-8").published[f"{kind}, {batch}"])
            images = _noise(batch, BLOCK_PX, BLOCK_PX, *([3] if colour else []))
            taken_ms = _interleaved({name: runs[name] for name in chosen}, images, repetitions)
            print(
                f"  {batch:5} " + "".join(f"{taken_ms[name]:18.0f}" for name in chosen) + f"{published:18}", flush=True
            )


def _images(model: Path | None, threads: int, tile_cells: list[int], folder: Path) -> None:
    import tifffile

    from glassline.vision.cell_tiles import CellTileSettings

    fitted, default = _fitted(model, False, 4), CellTileSettings().tile_cells
    graphs = {name: folder / f"{name}.onnx" for name in ("float", "int8")}
    for path, graph in zip(graphs.values(), _graphs(fitted), strict=True):
        path.write_bytes(graph)
    tifffile.imwrite(folder / "image.tif", _noise(*SIZE_PX))
    fixed = {"threads": threads, "images": 1, "image": str(folder / "image.tif")}
    print(
        f"\n{SIZE_PX[0]} x {SIZE_PX[1]} px grey 4x4, {threads} threads: seconds of an image without compiling, peak MB"
    )
    for edge in tile_cells:
        for runtime, precision, graph in (
            ("openvino", "f32", "float"), ("openvino", "bf16", "float"), ("openvino", "f32", "int8"),
            ("onnxruntime", "f32", "float"),
        ):  # fmt: skip
            told = {"graph": str(graphs[graph]), "runtime": runtime, "precision": precision, "tile_cells": edge}
            took = _in_child({**told, **fixed, "source": "memory"})
            print(f"  tile {edge:4} cells  {_name(runtime, precision, graph):20} memory {_shown(took)}", flush=True)
    for precision, graph in (("bf16", "float"), ("f32", "int8")):
        told = {"graph": str(graphs[graph]), "runtime": "openvino", "precision": precision, "tile_cells": default}
        for source in ("memory", "disk"):
            took = _in_child({**told, **fixed, "source": source, "images": IMAGES})
            print(
                f"  {IMAGES} images       {_name('openvino', precision, graph):20} {source:6} {_shown(took)}",
                flush=True,
            )
    _image_on_gpu(fitted)


def _image_on_gpu(fitted: Any) -> None:
    import torch

    from glassline.vision.cell_tiles import CellTileSettings, score_cells

    if torch.cuda.is_available():
        run, image = _torch_run(fitted, "cuda", torch.float16), _noise(*SIZE_PX)
        score = lambda: score_cells(lambda at: image[at.pixels], SIZE_PX, 4, run, CellTileSettings())  # noqa: E731
        score()
        began = time.perf_counter()
        score()
        print(f"  default tiles    torch half on the GPU {time.perf_counter() - began:6.2f} s")


def _score_image(
    graph: str, runtime: str, precision: Any, tile_cells: int, threads: int, source: str, image: str, images: int
) -> dict[str, float]:
    """Score an image some times; runs in a process of its own."""
    from glassline.data.image_windows import open_image
    from glassline.deploy.graphs import open_graph
    from glassline.vision.cell_tiles import CellTileSettings, score_cells

    run = open_graph(Path(graph).read_bytes(), threads, precision, runtime, fixed=True)[1]
    settings, opened = CellTileSettings(tile_cells=tile_cells), open_image(image, False, None)
    if source == "memory":
        held_HW = np.array(opened.whole())
        read = lambda window: held_HW[window.pixels]  # noqa: E731
    else:
        read = opened.read
    shapes: list[Any] = []
    score_cells(read, SIZE_PX, 4, lambda tile: shapes.append(tile) or _flat(tile), settings)
    run(shapes[0])  # compiles
    shapes.clear()
    began = time.perf_counter()
    for _ in range(images):
        if source == "disk":
            _drop_from_cache(image)
        score_cells(read, SIZE_PX, 4, run, settings)
    seconds = time.perf_counter() - began
    peak_kb = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {"seconds": seconds, "peak_mb": int(peak_kb.split()[1]) / 1000}


def _flat(tile_BHW: np.ndarray) -> np.ndarray:
    return np.zeros((1, tile_BHW.shape[1] // 4, tile_BHW.shape[2] // 4), np.float32)


def _drop_from_cache(path: str) -> None:
    with open(path, "rb") as stream:
        os.fsync(stream.fileno())
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _in_child(told: Mapping[str, Any]) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(told)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _shown(took: Mapping[str, float]) -> str:
    return f"{took['seconds']:7.2f} s  {took['peak_mb']:6.0f} MB"


def _name(runtime: str, precision: str, graph: str) -> str:
    return f"{runtime} {'int8' if graph == 'int8' else precision}"


def _fitted(model: Path | None, colour: bool, cell_px: int) -> Any:
    from glassline.models.severity_detector import build_detector
    from glassline.training.fitted_detector import FittedDetector, load_detector
    from glassline.training.settings import RegressionSettings

    if model is not None:
        return load_detector(model)
    settings = RegressionSettings.parse({"detector": {"colour": colour, "cell_px": cell_px}})
    return FittedDetector(build_detector(settings.detector).eval(), settings)


def _graphs(fitted: Any) -> tuple[bytes, bytes]:
    from glassline.deploy.detector_graph import detector_to_onnx
    from glassline.deploy.quantise import quantised
    from glassline.vision.severity import LARGEST

    graph = detector_to_onnx(fitted)
    tiles = _noise(2, BLOCK_PX, BLOCK_PX, *([3] if fitted.settings.detector.colour else []))
    return graph, quantised(graph, [*tiles], (0, LARGEST))


def _runs(fitted: Any, threads: int) -> dict[str, Run]:
    """Return what runs a detector, by name."""
    import torch

    from glassline.deploy.graphs import open_graph

    torch.set_num_threads(threads)
    graph, small = _graphs(fitted)
    runs: dict[str, Run] = {
        "torch f32": _torch_run(fitted, "cpu", torch.float32, torch.contiguous_format),
        "torch f32 channels last": _torch_run(fitted, "cpu", torch.float32),
        "torch bf16 channels last": _torch_run(fitted, "cpu", torch.bfloat16),
    }
    if torch.cuda.is_available():
        runs["torch half, GPU"] = _torch_run(fitted, "cuda", torch.float16)
    for runtime in ("onnxruntime", "openvino"):
        runs[f"{runtime} f32"] = open_graph(graph, threads, "f32", runtime, fixed=True)[1]
        runs[f"{runtime} int8"] = open_graph(small, threads, "f32", runtime, fixed=True)[1]
    return {**runs, "openvino bf16": open_graph(graph, threads, "bf16", "openvino", fixed=True)[1]}


def _torch_run(fitted: Any, device: str, dtype: Any, layout: Any = None) -> Run:
    """Return the network as torch runs it, eagerly; from and to the CPU's memory."""
    import copy

    import torch

    layout = layout or torch.channels_last
    model = copy.deepcopy(fitted.model).to(device, dtype, memory_format=layout)

    def run(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            image = torch.from_numpy(images).to(device).to(dtype) / 127.5 - 1
            image_BDHW = image[:, None] if image.ndim == 3 else image.permute(0, 3, 1, 2)
            severity_BRC = model(image_BDHW.contiguous(memory_format=layout)).clamp(0, 12)
        return np.asarray(severity_BRC.float().cpu().numpy())

    return run


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _interleaved(runs: Mapping[str, Run], images: np.ndarray, repetitions: int) -> dict[str, float]:
    """Return the median ms of each, called in turn; the first call of each compiles and does not count."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for repetition in range(repetitions + 1):
        for name, run in runs.items():
            began = time.perf_counter()
            run(images)
            if repetition:
                taken[name].append((time.perf_counter() - began) * 1e3)
    return {name: float(np.median(values)) for name, values in taken.items()}


if __name__ == "__main__":
    typer.run(main)
