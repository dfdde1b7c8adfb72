"""Transfer against training from scratch on dagm2007_class1, 5 stratified folds, seed 0; boxes against plain CAM.

    python benchmarks/transfer_folds.py --data DATA --out runs/transfer --threads 1

The base is trained once on all other sets (magnetic_tile, cfd, phone_screen, simulated line-scan glasses), random
starting weights, and fine-tuned in every fold; `--arm none` starts from random weights. A fold trains on three folds,
chooses its threshold on the next one and is judged on itself. A killed run goes on with the folds that are missing.
"""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
import typer
from transfer_sets import SETS, cut_of, images_of, patches_of

from glassline.analysis.box_hits import ImageHits, box_metrics, image_hits
from glassline.analysis.box_threshold import best_threshold as best_heat
from glassline.analysis.box_threshold import threshold_curve
from glassline.analysis.image_rates import best_threshold, image_rates
from glassline.analysis.operating_point import share_of
from glassline.analysis.plain_cam import run_activation
from glassline.data.samples import SampleTable
from glassline.data.sources import as_two_classes, sources_of
from glassline.data.splits import assign_folds
from glassline.data.store import open_store
from glassline.models.settings import BackboneSettings
from glassline.training.fitted import Fitted, load_fitted, save_fitted
from glassline.training.run_defective import run_defective
from glassline.training.settings import TransferSettings
from glassline.training.transfer import FittedBase, fine_tune, fit_base, load_base, save_base
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.cut_patches import with_clean
from glassline.vision.heat_map import Classify, HeatMap, LocaliseSettings, boxes, heat_map

FOLDS, SEED, TARGET = 5, 0, "dagm"


def settings_of(
    network: str, threads: int, base_epochs: int, epochs: int, learning_rate: float = 0.05
) -> TransferSettings:
    """Return how base and target are trained."""
    return TransferSettings(
        backbone=BackboneSettings(network=network, weights="random"), base_epochs=base_epochs, epochs=epochs,
        precision="bf16-mixed", threads=threads, learning_rate=learning_rate,
    )  # fmt: skip


def _base(data: Path, out: Path, settings: TransferSettings) -> FittedBase:
    folder = out / "base"
    if not folder.exists():
        tables = [patches_of(name, data, out / "store") for name in SETS if name != TARGET]
        sources = sources_of(tables)
        print({source.name: len(source) for source in sources}, flush=True)
        started_s = time.perf_counter()
        base = fit_base(
            sources, settings, SEED, open_store(out / "checkpoints"),
            lambda epoch, values: print(f"base, epoch {epoch}: {values}", flush=True),
        )  # fmt: skip
        print(f"base: {sum(map(len, sources))} patches in {time.perf_counter() - started_s:.0f} s", flush=True)
        save_base(base, folder)
    return load_base(folder)


def _heats(
    images: AnnotatedImages, numbers: list[int], classify: Classify, settings: LocaliseSettings
) -> list[HeatMap]:
    laid, heats = settings.laid(cut_of(TARGET).window_px), []
    for number in numbers:
        pixels = images.pixels(number)
        heats.append(
            heat_map(lambda window, image=pixels: image[window.pixels], images.sizes_px[number], classify, laid)
        )
    return heats


def _hits(
    images: AnnotatedImages, validation: list[int], test: list[int], classify: Classify, settings: LocaliseSettings
) -> tuple[list[ImageHits], pd.DataFrame, pd.DataFrame]:
    """Return hits of the test images at the threshold of the validation images, and the highest heat of both."""
    chosen, tested = (_heats(images, numbers, classify, settings) for numbers in (validation, test))
    scale = max(float(heat.cells_RC.max()) for heat in chosen)
    if scale > 1:  # class activation
        chosen, tested = ([HeatMap(h.value_NM / scale, h.size_px, h.settings) for h in hs] for hs in (chosen, tested))
    threshold = best_heat(threshold_curve(chosen, (images.annotated(number) for number in validation), settings))
    assert threshold is not None
    hits = [
        image_hits(images.annotated(number), [box.bbox_px for box in boxes(heat, threshold, settings)])
        for number, heat in zip(test, tested, strict=True)
    ]
    return hits, _peaks(images, validation, chosen), _peaks(images, test, tested)


def _peaks(images: AnnotatedImages, numbers: list[int], heats: list[HeatMap]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [images.images[number] for number in numbers],
            "probability": [float(heat.value_NM.max()) for heat in heats],
            "defective": [images.has_any(number) for number in numbers],
        }
    )


def main(
    data: Annotated[Path, typer.Option(help="folder of the public sets")],
    out: Annotated[Path, typer.Option(help="folder for models and results")],
    arm: Annotated[Literal["all", "none"], typer.Option()] = "all",
    network: Annotated[str, typer.Option()] = "timm/resnet10t.c3_in1k",
    base_epochs: Annotated[int, typer.Option(min=1)] = 6,
    epochs: Annotated[int, typer.Option(min=1)] = 5,
    learning_rate: Annotated[float, typer.Option(help="peak; 0.01 for Inception V3")] = 0.05,
    folds: Annotated[int, typer.Option(min=1, max=FOLDS, help="folds to judge")] = FOLDS,
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train, judge every fold once, pool."""
    settings, localise = settings_of(network, threads, base_epochs, epochs, learning_rate), LocaliseSettings(step_px=64)
    torch.set_num_threads(threads or torch.get_num_threads())
    table = assign_folds(as_two_classes(patches_of(TARGET, data, out / "store")), FOLDS, SEED)
    images = AnnotatedImages(with_clean(images_of(TARGET, data, out / "store")))
    fold_of = table.rows.drop_duplicates("image").set_index("image")["fold"]
    fold_N = np.array([fold_of[image] for image in images.images])
    base = _base(data, out, settings) if arm == "all" else None
    heat_hits: list[ImageHits] = []
    cam_hits: list[ImageHits] = []
    rates = []
    for fold in range(folds):
        chosen = (fold + 1) % FOLDS
        fitted = _fitted(out / f"{arm}-{fold}", base, table, fold, chosen, settings, out)
        validation, test = (np.flatnonzero(fold_N == one).tolist() for one in (chosen, fold))
        hits, before, judged = _hits(images, validation, test, run_defective(fitted), localise)
        rates.append(asdict(image_rates(judged, best_threshold(before))))
        heat_hits += hits
        if arm == "all":
            cam_hits += _hits(images, validation, test, run_activation(fitted), localise)[0]
        print(f"fold {fold}: {rates[-1]}", flush=True)
    _tell(pd.DataFrame(rates), {"heat map": heat_hits, **({"plain CAM": cam_hits} if cam_hits else {})})


def _fitted(
    folder: Path,
    base: FittedBase | None,
    table: SampleTable,
    fold: int,
    chosen: int,
    settings: TransferSettings,
    out: Path,
) -> Fitted:
    if not folder.exists():
        place_N = table.rows["fold"].to_numpy()
        train_N, validation_N = np.flatnonzero(~np.isin(place_N, (fold, chosen))), np.flatnonzero(place_N == chosen)
        started_s = time.perf_counter()
        fitted = fine_tune(
            base, table, train_N, validation_N, settings, SEED, open_store(out / "checkpoints"),
            lambda epoch, values: print(f"{folder.name}, epoch {epoch}: {values}", flush=True),
        )  # fmt: skip
        print(f"{folder.name}: {len(train_N)} patches in {time.perf_counter() - started_s:.0f} s", flush=True)
        save_fitted(fitted, folder)
    return load_fitted(folder)


def _tell(rates: pd.DataFrame, hits: dict[str, list[ImageHits]]) -> None:
    for rate, count in (("tpr", "defective"), ("tnr", "clean")):
        right, of = round((rates[rate] * rates[count]).sum()), int(rates[count].sum())
        _, low, high = share_of(right, of)
        print(f"{rate.upper()} {right / of:.3f} ({low:.3f}-{high:.3f}), {right} of {of}")
    print(json.dumps({name: asdict(box_metrics(found)) for name, found in hits.items()}, indent=1))


if __name__ == "__main__":
    typer.run(main)
