"""How long does a metric network train on 5000 patches, and how long does one patch take in the exported runtime?

python benchmarks/metric_speed.py runs/tile/artifacts/RUN/augment-samples/augmented --out runs/speed
"""

import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import torch
import typer

from glassline.data.samples import read_samples
from glassline.data.shards import ShardReader
from glassline.data.store import open_store
from glassline.deploy.bundle import load_bundle, write_bundle
from glassline.deploy.export import classifier_files, classifier_manifest
from glassline.deploy.runtime import OnnxClassifier
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings
from glassline_cli.overrides import with_overrides

_ONE_BY_ONE = 300


def main(
    augmented: Annotated[Path, typer.Argument(help="patches, of augment-samples")],
    out: Annotated[Path, typer.Option(help="folder for checkpoints and the bundle")],
    patches: Annotated[int, typer.Option(min=10, help="patches to train on")] = 5000,
    model: Annotated[str, typer.Option(help="model, as in `glassline models`")] = "triplet",
    overrides: Annotated[list[str] | None, typer.Option("--set", help="setting of the training, key=value")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Train with all cores, export, and judge patches one by one, each way on one thread and on two."""
    settings = with_overrides(TrainingSettings(), overrides or [])
    table = read_samples(str(augmented), "patches", extra=["augmentation"])
    rows_N = np.sort(np.random.default_rng(seed).permutation(len(table.rows))[:patches])
    started = time.perf_counter()
    fitted = fit_model(model, table, rows_N, rows_N[:0], settings, seed, open_store(out / "fits"), lambda *told: None)
    print(
        f"{model}: {len(rows_N)} patches, {settings.epochs} epochs in {time.perf_counter() - started:.1f} s on "
        f"{torch.get_num_threads()} threads"
    )
    manifest = classifier_manifest(fitted, {}, table.content_hash(), "", {})
    write_bundle(out / "bundle.zip", manifest, {**classifier_files(fitted, manifest.data_hash), "card.md": b""}, {})
    rows = table.rows.iloc[rows_N[:_ONE_BY_ONE]]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    metadata_NM = rows[list(fitted.attributes)].to_numpy(np.float32, copy=True)
    for threads in (1, 2):
        classifier, taken_ms = OnnxClassifier(load_bundle(out / "bundle.zip"), threads), []
        for number in range(len(rows)):
            begun = time.perf_counter()
            classifier.predict(patch_NHW[number : number + 1], metadata_NM[number : number + 1])
            taken_ms.append((time.perf_counter() - begun) * 1e3)
        told = pd.Series(taken_ms).quantile([0.5, 0.95])
        print(f"one patch on {threads} threads: median {told[0.5]:.2f} ms, 95 % under {told[0.95]:.2f} ms")


if __name__ == "__main__":
    typer.run(main)
