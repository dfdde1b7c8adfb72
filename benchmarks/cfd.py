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
import typer

from glassline.analysis.segmentation import PixelCounts
from glassline.bench.measures.cracks import TEST, TOLERANCES_PX, VALIDATION, WRONG, crack_mask
from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.data.store import open_store
from glassline.training.fitted_segmenter import FittedSegmenter, load_segmenter, save_segmenter
from glassline.training.run_network import run_network
from glassline.training.segmentation import fit_segmenter
from glassline.training.settings import SegmentationSettings
from glassline.vision.capture_augment import TURNS, Turn
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.network_input import network_input


def _settings(epochs: int, width: float, threads: int, loss: str) -> SegmentationSettings:
    return SegmentationSettings.parse(
        {
            "unet": {"width": width, "block_px": 1}, "loss": {"name": loss}, "labels": ["crack"], "patch_px": 256,
            "batch_size": 8, "patches": 512, "scratch_share": 1.0, "epochs": epochs, "learning_rate": 2e-3,
            "schedule": "one-cycle", "precision": "bf16-mixed", "threads": threads,
        }
    )  # fmt: skip


def mask_folder(data: Path, folder: Path) -> SampleTable:
    """Lay the set out as a mask folder: class crack, a PNG mask beside each image."""
    images = folder / "crack" / "Imgs"
    images.mkdir(parents=True, exist_ok=True)
    for number in [*range(1, WRONG), *range(WRONG + 1, TEST.stop)]:
        cv2.imwrite(str(images / f"{number:03d}.png"), crack_mask(data, number).astype(np.uint8) * 255)
        (images / f"{number:03d}.jpg").write_bytes((data / "image" / f"{number:03d}.jpg").read_bytes())
    return read_source(folder, "mask-folder")


def sides(images: list[str]) -> tuple[list[int], list[int], list[int]]:
    """Return the numbers of the training, validation and test images."""
    number_of = {int(Path(image).stem): place for place, image in enumerate(images)}
    validation, test = ([number_of[name] for name in names] for names in (VALIDATION, TEST))
    train = [place for name, place in number_of.items() if name < TEST.start and name not in VALIDATION]
    return train, validation, test


def _scores(
    fitted: FittedSegmenter, zones: LabelledZones, numbers: list[int], ways: tuple[Turn, ...]
) -> list[np.ndarray]:
    """Return the score maps, each the mean over some ways to lay the image."""
    run = run_network(fitted)
    maps = []
    for number in numbers:
        sigmas_SHW = network_input(zones.frames(number, fitted.format), "mono")
        laid = [_lay_back(run(np.ascontiguousarray(turn.lay(sigmas_SHW))[None])[0], turn) for turn in ways]
        maps.append(np.mean(laid, axis=0))
    return maps


def _lay_back(score_hw: np.ndarray, turn: Turn) -> np.ndarray:
    turned_hw = np.rot90(score_hw, -turn.quarters)
    return np.flip(turned_hw, -1) if turn.mirrored else turned_hw


def _counts(
    fitted: FittedSegmenter, zones: LabelledZones, numbers: list[int], ways: tuple[Turn, ...]
) -> dict[int, PixelCounts]:
    counts = {tolerance_px: PixelCounts(tolerance_px) for tolerance_px in TOLERANCES_PX}
    for number, score_hw in zip(numbers, _scores(fitted, zones, numbers, ways), strict=True):
        for one in counts.values():
            one.add(score_hw, zones.mask(number))
    return counts


def _print(fitted: FittedSegmenter, zones: LabelledZones, validation: list[int], test: list[int]) -> None:
    """Print the test figures of a single pass, and of the mean over the eight ways to lay an image."""
    for name, ways in (("one pass", TURNS[:1]), ("mean of eight turns", TURNS)):
        on_validation, on_test = (_counts(fitted, zones, numbers, ways) for numbers in (validation, test))
        # One threshold for all, fitted without tolerance.
        threshold = on_validation[0].best().threshold
        exact = on_test[0].at(threshold)
        print(f"{name}: threshold {threshold:.3f}, pooled IoU {exact.iou:.3f}, mean IoU {exact.mean_iou:.3f}")
        for tolerance_px, counts in on_test.items():
            at = counts.at(threshold)
            print(f"  {tolerance_px} px: precision {at.precision:.3f} recall {at.recall:.3f} F1 {at.f1:.3f}")
        print(f"  best F1 over thresholds on test {on_test[0].best().f1:.3f}")


def main(
    data: Annotated[Path, typer.Option(help="the set as published")],
    out: Annotated[Path, typer.Option(help="folder for model and pictures")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    epochs: Annotated[int, typer.Option(min=1)] = 30,
    width: Annotated[float, typer.Option()] = 0.25,
    loss: Annotated[str, typer.Option()] = "autoencoder",
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train, fit the threshold on validation, test once."""
    zones = LabelledZones(mask_folder(data, out / "set"), ["crack"])
    train, validation, test = sides(zones.images)
    print(f"{len(train)} train, {len(validation)} validation, {len(test)} test images")
    model = out / f"model-{loss}-{width:g}-{epochs}-{seed}"
    if not model.exists():
        started_s, cpu_s = time.perf_counter(), time.process_time()
        fitted = fit_segmenter(
            zones, train, validation, _settings(epochs, width, threads, loss), seed, open_store(out / "checkpoints"),
            lambda epoch, values: print(f"epoch {epoch}: {values}", flush=True),
        )  # fmt: skip
        print(f"trained in {time.perf_counter() - started_s:.0f} s, {time.process_time() - cpu_s:.0f} CPU s")
        save_segmenter(fitted, model)
    _print(load_segmenter(model), zones, validation, test)


if __name__ == "__main__":
    typer.run(main)
