"""What two processes learn against one: every family of networks, same data, seed and global batch, on CPUs.

    python benchmarks/two_processes.py --out runs/two-processes

Simulated data (seed 0), each family fitted in this process, then all of them by `torchrun --nproc-per-node 2` of this
very file. The table holds the largest relative difference of a loss of an epoch, and that of the weights (norm of the
difference by norm). `--data` takes a folder of tables that are there already; 2 minutes on two cores.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from safetensors.torch import load_file, save_file

from glassline.data.importers import read_source
from glassline.data.samples import read_samples
from glassline.data.store import Store, open_store
from glassline.processes import is_first, torchrun
from glassline.training.defect_types import fit_types
from glassline.training.loop import fit_model
from glassline.training.regression import fit_detector
from glassline.training.segmentation import fit_segmenter
from glassline.training.settings import (
    DefectTypeSettings,
    RegressionSettings,
    SegmentationSettings,
    TrainingSettings,
    TransferSettings,
)
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.labelled_zones import LabelledZones

_EPOCHS = 3
_FIT = {"epochs": _EPOCHS, "batch_size": 8, "threads": 1}
# Where batch normalisation stands in a network that starts from random weights, training is chaotic: at the default
# rates its rounding, which differs with the order of sums, grows a thousandfold in an epoch.
_SLOW = 1e-5
_CLASSIFIER = {**_FIT, "cnn": {"filters": 4, "pool_px": 4}, "embedding": {"width": 8}, "class_weights": "balanced"}
_TRANSFER = {**_FIT, "learning_rate": _SLOW, "backbone": {"network": "timm/test_resnet.r160_in1k", "weights": "random"}}
_ROWS = 36  # not a whole number of batches: the last of an epoch holds 4


def _classifier(name: str, settings: TrainingSettings) -> Callable[[Path, Path], Any]:
    def fit(data: Path, checkpoints: Store) -> Any:
        table = read_samples(data / "patches.parquet", "patches")
        rows_N = np.arange(_ROWS)
        held_N = np.arange(_ROWS, _ROWS + 8)
        return fit_model(name, table, rows_N, held_N, settings, 0, checkpoints, lambda *_: None)

    return fit


def _unet(data: Path, checkpoints: Store) -> Any:
    zones = LabelledZones(read_samples(data / "zones.parquet", "images"), ["scratch"])
    settings = SegmentationSettings.parse({**_FIT, "unet": {"width": 1 / 32}, "patch_px": 64, "patches": 24})
    train = [number for number in range(len(zones)) if zones.groups[number] != zones.groups[0]]
    held = [number for number in range(len(zones)) if number not in train]
    return fit_segmenter(zones, train, held, settings, 0, checkpoints, lambda *_: None)


def _images(data: Path) -> tuple[AnnotatedImages, list[int], list[int]]:
    images = AnnotatedImages(read_samples(data / "images.parquet", "images"))
    return images, list(range(2, len(images))), [0, 1]


def _severity(data: Path, checkpoints: Store) -> Any:
    settings = RegressionSettings.parse({**_FIT, "patch_px": 64, "patches": 24, "learning_rate": _SLOW})
    return fit_detector(*_images(data), settings, 0, checkpoints, lambda *_: None)


def _types(data: Path, checkpoints: Store) -> Any:
    settings = DefectTypeSettings.parse(
        {**_FIT, "windows": 24, "learning_rate": _SLOW, "classifier": {"network": "resnet18", "window_px": 32}}
    )  # fmt: skip
    return fit_types(*_images(data), [], settings, 0, checkpoints, lambda *_: None)


FITS: dict[str, Callable[[Path, Path], Any]] = {
    "cnn": _classifier("cnn", TrainingSettings.parse(_CLASSIFIER)),
    "triplet": _classifier("triplet", TrainingSettings.parse(_CLASSIFIER)),
    "siamese": _classifier("siamese", TrainingSettings.parse(_CLASSIFIER)),
    "unet": _unet,
    "severity": _severity,
    "defect_types": _types,
    "transfer": _classifier("transfer", TransferSettings.parse(_TRANSFER).of_target),
}


def simulate(data: Path) -> None:
    """Write the three tables that the fits read."""
    from glassline.vision.patches import ExtractSettings, extract_patches
    from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    glasses = simulate_glasses(GlassSetSettings(glasses=3, marked=False), data / "glasses")
    read_source(glasses, "captures").write(data / "zones.parquet")
    images = read_source(simulate_line_scan(96, 0, data / "line-scan"), "coco")
    images.write(data / "images.parquet")
    patches, _ = extract_patches(images, str(data / "shards"), ExtractSettings(), lambda *_: None)
    patches.write(data / "patches.parquet")


def fit_all(data: Path, out: Path) -> None:
    """Fit every family and write weights and losses; by torchrun the first process writes."""
    out.mkdir(parents=True, exist_ok=True)
    for name, fit in FITS.items():
        fitted = fit(data, open_store(out / "checkpoints"))
        if is_first():
            weights = {key: value.detach().contiguous() for key, value in fitted.model.named_parameters()}
            save_file(weights, out / f"{name}.safetensors")
            (out / f"{name}.json").write_text(json.dumps(fitted.history.to_dict("list")))


def differences(one: Path, two: Path) -> list[dict[str, Any]]:
    """Return how far losses and weights of two folders of `fit_all` are apart, a row a family."""
    rows = []
    for name in FITS:
        losses = [json.loads((folder / f"{name}.json").read_text()) for folder in (one, two)]
        weights = [load_file(folder / f"{name}.safetensors") for folder in (one, two)]
        flat = [torch.cat([value.flatten().double() for value in of.values()]) for of in weights]
        row: dict[str, Any] = {"model": name, "epochs": len(losses[0]["train_loss"])}
        for kind in ("train_loss", "val_loss"):
            first, second = (np.array(of.get(kind, [np.nan])) for of in losses)
            row[kind] = float(np.abs(second / first - 1).max())
        rows.append({**row, "weights": float((flat[1] - flat[0]).norm() / flat[0].norm())})
    return rows


def main(
    out: Annotated[Path, typer.Option(help="Missing or empty folder.")],
    data: Annotated[Path | None, typer.Option(help="Folder with patches, zones and images as .parquet.")] = None,
) -> None:
    """Fit in one process and in two, and print how far they are apart."""
    if torchrun():
        assert data is not None
        fit_all(data, out)
        return
    if data is None:
        data = out / "data"
        data.mkdir(parents=True)
        simulate(data)
    fit_all(data, out / "one")
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, "--data", data]
    subprocess.run([sys.executable, *map(str, words), "--out", str(out / "two")], check=True)
    rows = differences(out / "one", out / "two")
    (out / "differences.json").write_text(json.dumps(rows, indent=2))
    print("| model | epochs | train_loss | val_loss | weights |\n|---|---|---|---|---|")
    for row in rows:
        apart = (f"{row[kind]:.1e} |" for kind in ("train_loss", "val_loss", "weights"))
        print(f"| {row['model']} | {row['epochs']} |", *apart)


if __name__ == "__main__":
    typer.run(main)
