"""How many images a second does the inspector judge, how soon the first, and in how much memory, beside torch?

    python benchmarks/inspect_speed.py
    python benchmarks/inspect_speed.py --model cnn --images 400 --threads 1

Simulated grey images with a mark or none, judged from file to line of `verdicts.jsonl`, overlays included: the same
candidates, the same network untrained, by each runtime and by torch eager, in processes of their own that take turns.
Start-up is from the start of the process to the first verdict, the bundle's hashes checked. `model only` is the
network alone on a batch of 256 patches. Goals: start-up at most 2 s, no slower than torch.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

RUNS = ("torch eager", "onnxruntime", "openvino")
_CLASSES = ("dent", "fold", "control")


def _write_images(folder: Path, images: int, size_px: int) -> None:
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(images):
        grey_HW = generator.normal(120, 6, (size_px, size_px))
        x, y = (int(at) for at in generator.integers(0, size_px - 24, 2))
        grey_HW[y : y + 16, x : x + 20] += (60, -60, 0)[number % 3]
        cv2.imwrite(str(folder / f"{number:05d}.png"), grey_HW.clip(0, 255).astype(np.uint8))


def write_bundle_of(name: str, folder: Path) -> None:
    """Write the bundle of an untrained classifier of candidates, and the classifier beside it."""
    import pandas as pd
    import torch

    from glassline.deploy.bundle import write_bundle
    from glassline.deploy.export import classifier_files, classifier_manifest
    from glassline.models.registry import build_model
    from glassline.training.fitted import Fitted, save_fitted
    from glassline.training.settings import TrainingSettings
    from glassline.vision.candidate_patches import ExtractSettings, extract_candidates

    extract, settings = ExtractSettings(), TrainingSettings()
    (one, *_) = extract_candidates(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), extract)
    columns = ("x_mm", "y_mm", *sorted(f"attr_{key}" for key in one.candidate.attributes))
    torch.manual_seed(0)
    model = build_model(name, 112, len(columns), len(_CLASSES), settings).eval()
    fitted = Fitted(name, model, _CLASSES, "control", columns, settings, pd.DataFrame())
    save_fitted(fitted, folder / "fitted")
    told = classifier_manifest(fitted, extract.model_dump(mode="json"), "", "", {})
    least = {"least_probability": dict.fromkeys(_CLASSES, 0.0)}
    write_bundle(folder / "bundle.zip", told, {**classifier_files(fitted, ""), "card.md": b""}, least)


class _Torch:
    """The same network in torch, as the inspector asks a runtime."""

    runtime = "torch"

    def __init__(self, folder: Path, threads: int) -> None:
        import torch

        from glassline.training.fitted import load_fitted

        torch.set_num_threads(threads)
        self._model, self._torch = load_fitted(folder / "fitted").model.eval(), torch

    def predict(self, patch_BHW: Any, metadata_BM: Any) -> Any:
        with self._torch.inference_mode():
            given = self._torch.from_numpy(patch_BHW).float(), self._torch.from_numpy(metadata_BM)
            return self._model(*given).softmax(1).numpy()


def _one(name: str, folder: Path, out: Path, threads: int, began: float) -> dict[str, float]:
    """Judge the images in this process and return what it took."""
    from glassline.deploy.bundle import load_bundle
    from glassline.deploy.inspection.inspector import open_inspector
    from glassline.deploy.inspection.journal import Journal
    from glassline.deploy.inspection.listing import list_units
    from glassline.deploy.inspection.run import Inspection
    from glassline.deploy.inspection.running import Running

    bundle = load_bundle(folder / "bundle.zip")
    how = Running(runtime="onnxruntime" if name == "torch eager" else name, threads=threads)
    inspector: Any = open_inspector(bundle, how)
    if name == "torch eager":
        inspector._classifier = _Torch(folder, threads)
    with Journal(out) as journal:
        units = Inspection(inspector, bundle, how, journal).judge(list_units([str(folder / "images")], False))
        next(units)
        first, cpu = time.time(), time.process_time()
        count = sum(1 for _ in units)
        seconds, cpu = time.time() - first, time.process_time() - cpu
    generator = np.random.default_rng(0)
    patch_BHW = generator.integers(0, 256, (256, 112, 112), np.uint8)
    metadata_BM = generator.normal(size=(256, len(bundle.manifest.attributes))).astype(np.float32)
    taken = []
    for _ in range(6):
        start = time.perf_counter()
        inspector._classifier.predict(patch_BHW, metadata_BM)
        taken.append(time.perf_counter() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"start_s": first - began, "images": count / seconds, "cpu_ms": 1000 * cpu / count,
            "model_ms": 1000 * min(taken), "peak_mb": peak_mb}  # fmt: skip


def main(
    model: Annotated[str, typer.Option(help="a classifier of candidates: cnn, ensemble_fusion, …")] = "ensemble_fusion",
    images: Annotated[int, typer.Option(min=2)] = 200,
    size_px: Annotated[int, typer.Option(min=64)] = 512,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    rounds: Annotated[int, typer.Option(min=1, help="turns of each; medians are told")] = 3,
    only: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path | None, typer.Option(hidden=True)] = None,
    out: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Print one row per runtime."""
    if only and folder and out:
        print(json.dumps(_one(only, folder, out, threads, float(os.environ["BEGAN"]))))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in RUNS}
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        _write_images(work / "images", images, size_px)
        write_bundle_of(model, work)
        for turn in range(rounds):
            for name in RUNS:
                more = ["--only", name, "--folder", work, "--out", work / f"{name} {turn}", "--threads", threads]
                call = [str(word) for word in (sys.executable, __file__, *more)]
                began = {**os.environ, "BEGAN": str(time.time())}
                done = subprocess.run(call, env=began, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise SystemExit(f"{name} failed:\n{done.stderr}")
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    _print(found, f"{model}, untrained: {images} images of {size_px} x {size_px} px, {threads} threads")


def _print(found: dict[str, list[dict[str, float]]], title: str) -> None:
    rows = {name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in found.items()}
    table = Table("runtime", "first verdict s", "images/s", "times torch", "CPU ms an image", "model only ms",
                  "times torch", "peak MB", title=title)  # fmt: skip
    base = rows["torch eager"]
    for name, row in rows.items():
        table.add_row(name, f"{row['start_s']:.2f}", f"{row['images']:.1f}", f"{row['images'] / base['images']:.2f}",
                      f"{row['cpu_ms']:.1f}", f"{row['model_ms']:.0f}", f"{base['model_ms'] / row['model_ms']:.2f}",
                      f"{row['peak_mb']:.0f}")  # fmt: skip
    Console(width=150).print(table)


if __name__ == "__main__":
    typer.run(main)
