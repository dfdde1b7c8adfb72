"""How well does the nested-weights U-Net find cracks of the CrackForest set, one grey channel, trained from scratch?

    python benchmarks/cfd.py --data DATA/cfd --out DIR --seed 0

Split of the data's README: test 073-118, validation seven images, train the other 64 of 001-072 without 042. The
threshold is fitted on validation. Pixels are pooled over the images; a pixel counts when one of the other side lies
within an elliptic neighbourhood of the tolerance. CPU seconds are those of all threads together.
"""

import time
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import scipy.io
import torch
import typer

from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.training.fitted_segmenter import FittedSegmenter, ScoreGraph, save_segmenter
from glassline.training.segmentation import fit_segmenter
from glassline.training.settings import SegmentationSettings
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.network_input import network_input

VALIDATION = (4, 9, 19, 39, 53, 62, 68)
WRONG = 42
TEST = range(73, 119)
TOLERANCES_PX = (0, 2, 5)


def _settings(epochs: int, width: float, threads: int, loss: str) -> SegmentationSettings:
    return SegmentationSettings.parse(
        {
            "unet": {"width": width, "block_px": 1}, "loss": {"name": loss}, "labels": ["crack"], "patch_px": 256,
            "batch_size": 8, "patches": 512, "scratch_share": 1.0, "epochs": epochs, "learning_rate": 2e-3,
            "schedule": "one-cycle", "precision": "bf16-mixed", "threads": threads,
        }
    )  # fmt: skip


def _table(data: Path, folder: Path) -> SampleTable:
    """Lay the set out as a mask folder: class crack, a PNG mask beside each image."""
    images = folder / "crack" / "Imgs"
    images.mkdir(parents=True, exist_ok=True)
    for number in [*range(1, WRONG), *range(WRONG + 1, TEST.stop)]:
        truth = scipy.io.loadmat(str(data / "groundTruth" / f"{number:03d}.mat"))["groundTruth"][0, 0]
        crack_HW = np.isin(truth["Segmentation"], (2, 4))
        cv2.imwrite(str(images / f"{number:03d}.png"), crack_HW.astype(np.uint8) * 255)
        (images / f"{number:03d}.jpg").write_bytes((data / "image" / f"{number:03d}.jpg").read_bytes())
    return read_source(folder, "mask-folder")


@torch.no_grad()
def _scores(fitted: FittedSegmenter, zones: LabelledZones, numbers: list[int]) -> list[np.ndarray]:
    graph = ScoreGraph(fitted).eval()
    maps = []
    for number in numbers:
        sigmas_SHW = torch.from_numpy(network_input(zones.frames(number, fitted.format), "mono"))
        maps.append(graph(sigmas_SHW[None])[0].numpy())
    return maps


def main(
    data: Annotated[Path, typer.Option(help="the set as published")],
    out: Annotated[Path, typer.Option(help="folder for model and pictures")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    epochs: Annotated[int, typer.Option(min=1)] = 50,
    width: Annotated[float, typer.Option()] = 0.25,
    loss: Annotated[str, typer.Option()] = "autoencoder",
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train, fit the threshold on validation, test once."""
    zones = LabelledZones(_table(data, out / "set"), ["crack"])
    number_of = {int(Path(image).stem): place for place, image in enumerate(zones.images)}
    validation = [number_of[name] for name in VALIDATION]
    test = [number_of[name] for name in TEST]
    train = [place for name, place in number_of.items() if name < TEST.start and name not in VALIDATION]
    print(f"{len(train)} train, {len(validation)} validation, {len(test)} test images")
    started_s, cpu_s = time.perf_counter(), time.process_time()
    fitted = fit_segmenter(
        zones, train, validation, _settings(epochs, width, threads, loss), seed, out / "checkpoints",
        lambda epoch, values: print(f"epoch {epoch}: {values}", flush=True),
    )  # fmt: skip
    print(f"trained in {time.perf_counter() - started_s:.0f} s, {time.process_time() - cpu_s:.0f} CPU s")
    save_segmenter(fitted, out / f"model-{seed}")


if __name__ == "__main__":
    typer.run(main)
