"""Severity detection of cracks on CrackForest (CFD): one grey channel, thin cracks, cells of 2 or 1 px.

    python benchmarks/cfd_severity.py --data DATA/cfd --out runs/cfd-severity --cell-px 2

The split is that of `benchmarks/cfd.py`; the threshold is fitted on validation without tolerance. Beside it stands what
a perfect detector reaches on the grid. Pixels are pooled over images.
"""

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from cfd import mask_folder, sides

from glassline.analysis.segmentation import PixelCounts
from glassline.analysis.threshold import pixel_scores
from glassline.bench.measures.cracks import TOLERANCES_PX, perfect_counts
from glassline.data.store import open_store
from glassline.deploy.run_detector import run_detector
from glassline.steps.train_regression import severity_of
from glassline.training.fitted_detector import FittedDetector, load_detector, save_detector
from glassline.training.regression import fit_detector
from glassline.training.settings import RegressionSettings
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.severity import LARGEST


def _settings(cell_px: int, epochs: int, threads: int) -> RegressionSettings:
    return RegressionSettings.parse(
        {
            "detector": {"cell_px": cell_px}, "patch_px": 128, "epochs": epochs,
            "patches": 1024, "batch_size": 8, "defect_share": 0.9, "learning_rate": 3e-3,
            "precision": "bf16-mixed", "threads": threads,
        }
    )  # fmt: skip


def _perfect(images: AnnotatedImages, numbers: list[int], cell_px: int) -> dict[int, PixelCounts]:
    masks = [images.annotated(number).mask_HW for number in numbers]
    return perfect_counts(masks, [images.grey(number) for number in numbers], cell_px)


def _counts(images: AnnotatedImages, numbers: list[int], fitted: FittedDetector) -> dict[int, PixelCounts]:
    counts, run, cell_px = {px: PixelCounts(px) for px in TOLERANCES_PX}, run_detector(fitted), _cell_px(fitted)
    for number in numbers:
        scores_HW = pixel_scores(severity_of(images.pixels(number), run, cell_px), cell_px, images.sizes_px[number])
        for one in counts.values():
            one.add(scores_HW, images.annotated(number).mask_HW)
    return counts


def _cell_px(fitted: FittedDetector) -> int:
    return fitted.settings.detector.cell_px


def main(
    data: Annotated[Path, typer.Option(help="the set as published")],
    out: Annotated[Path, typer.Option(help="folder for the model")],
    cell_px: Annotated[int, typer.Option()] = 2,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    epochs: Annotated[int, typer.Option(min=1)] = 24,
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train, fit the threshold on validation, test once."""
    images = AnnotatedImages(mask_folder(data, out / "set"))
    train, validation, test = sides(images.images)
    model = out / f"model-{cell_px}-{epochs}-{seed}"
    if not model.exists():
        started_s, cpu_s = time.perf_counter(), time.process_time()
        fitted = fit_detector(
            images, train, validation, _settings(cell_px, epochs, threads), seed, open_store(out / "checkpoints"),
            lambda epoch, values: print(f"epoch {epoch}: {values}", flush=True),
        )  # fmt: skip
        print(f"trained in {time.perf_counter() - started_s:.0f} s, {time.process_time() - cpu_s:.0f} CPU s")
        save_detector(fitted, model)
    torch.set_num_threads(threads or torch.get_num_threads())
    fitted = load_detector(model)
    threshold = _counts(images, validation, fitted)[0].best().threshold
    print(f"{len(train)} train, {len(validation)} validation, {len(test)} test images; T = {threshold * LARGEST:.2f}")
    found, perfect = _counts(images, test, fitted), _perfect(images, test, cell_px)
    exact = found[0].at(threshold)
    print(f"pooled IoU {exact.iou:.3f}, mean IoU {exact.mean_iou:.3f}")
    for px, counts in found.items():
        at, best = counts.at(threshold), perfect[px].at(0.5)
        told = f"precision {at.precision:.3f} recall {at.recall:.3f} F1 {at.f1:.3f}"
        print(f"  {px} px: {told}; a perfect detector on cells of {cell_px} px: F1 {best.f1:.3f}")
    print(f"  best F1 over thresholds on test {found[0].best().f1:.3f}")


if __name__ == "__main__":
    typer.run(main)
