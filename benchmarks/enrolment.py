"""Leave one class out: is it unknown, and is it found once a few of its images are enrolled?

    python benchmarks/enrolment.py runs/tile/artifacts/RUN/augment-samples/augmented --out runs/enrolment

For each defect class and each part of the folds: train without the class, fit the `unknown` threshold on one fold,
judge two others before and after the class is enrolled from images of the rest. The path is the product's: a bundle is
written, loaded and enrolled into.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from glassline.analysis.unknown import UNKNOWN, unit_distance, unknown_threshold
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import is_real
from glassline.data.storage import written_whole
from glassline.data.store import open_store
from glassline.deploy.bundle import Bundle, load_bundle, write_bundle
from glassline.deploy.enrol import enrol_class
from glassline.deploy.export import classifier_files, classifier_manifest
from glassline.deploy.judge import judge
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import LEAST_PROBABILITY, UNKNOWN_DISTANCE
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings
from glassline_cli.overrides import with_overrides

_FOLDS_AT_ONCE = 2
_FALSE_UNKNOWN_RATE = 0.05

Rows = npt.NDArray[np.intp]


def main(
    augmented: Annotated[Path, typer.Argument(help="patches with folds and copies, of augment-samples")],
    out: Annotated[Path, typer.Option(help="folder for bundles and results; a killed run goes on")],
    images: Annotated[int, typer.Option(min=1, help="images that the class is enrolled from")] = 5,
    model: Annotated[str, typer.Option(help="triplet or siamese")] = "triplet",
    overrides: Annotated[list[str] | None, typer.Option("--set", help="setting of the training, key=value")] = None,
    seed: Annotated[int, typer.Option(min=0, help="seed of draws and fits")] = 0,
) -> None:
    """Print recall of each class left out, and how often known classes are called unknown."""
    settings = with_overrides(TrainingSettings(), overrides or [])
    table = read_samples(str(augmented), "patches", extra=["fold", "augmentation"])
    out.mkdir(parents=True, exist_ok=True)
    shown = Table(
        "left out", "images", "unknown before", "recall after", "false unknown before", "after", "others right"
    )
    for label in [name for name in table.classes if name != table.clean_class]:
        judged = pd.concat(list(_parts(table, label, images, model, settings, seed, out)))
        shown.add_row(*_row(label, judged))
        Console().print(shown)


def _parts(
    table: SampleTable, label: str, images: int, model: str, settings: TrainingSettings, seed: int, out: Path
) -> Iterator[pd.DataFrame]:
    """Yield the units of each part: actual, and predicted before and after the enrolment."""
    folds = sorted({int(fold) for fold in table.rows["fold"]})
    for start in range(0, len(folds), _FOLDS_AT_ONCE):
        test, validation = folds[start : start + _FOLDS_AT_ONCE], folds[(start + _FOLDS_AT_ONCE) % len(folds)]
        told = json.dumps([table.content_hash(), label, images, model, settings.model_dump(), seed, test])
        place = out / f"{label}-{test[0]}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.parquet"
        if not place.is_file():
            with written_whole(place) as beside:
                _part(table, label, images, model, settings, seed, out, test, validation).to_parquet(beside)
        yield pd.read_parquet(place)


def _part(
    table: SampleTable, label: str, images: int, model: str, settings: TrainingSettings, seed: int, out: Path,
    test: list[int], validation: int,
) -> pd.DataFrame:  # fmt: skip
    rows, real_N = table.rows, is_real(table)
    fold_N, shows_N = rows["fold"].to_numpy(), (rows["unit_label"] == label).to_numpy()
    rest_N = ~np.isin(fold_N, [*test, validation])
    known = SampleTable(
        rows[rest_N & ~shows_N].reset_index(drop=True), "patches", table.root,
        tuple(name for name in table.classes if name != label), table.clean_class,
    )  # fmt: skip
    everything_N = np.arange(len(known.rows))
    fitted = fit_model(
        model, known, everything_N, everything_N[:0], settings, seed, open_store(out / "fits"), lambda *told: None
    )  # fmt: skip
    manifest = classifier_manifest(fitted, {}, known.content_hash(), "", {})
    files = {**classifier_files(fitted, manifest.data_hash), "card.md": b""}
    thresholds = {LEAST_PROBABILITY: dict.fromkeys(fitted.classes, 0.0), UNKNOWN_DISTANCE: None}
    write_bundle(out / "known.zip", manifest, files, thresholds)
    bundle = load_bundle(out / "known.zip")
    of_class_N = np.flatnonzero(rest_N & real_N & (rows["label"] == label).to_numpy())
    shown = np.random.default_rng([seed, test[0]]).permutation(rows["unit"].iloc[of_class_N].unique())[:images]
    enrolled_N = of_class_N[rows["unit"].iloc[of_class_N].isin(shown).to_numpy()]
    patch_KHW, metadata_KM = _inputs(table, enrolled_N, bundle)
    enrol_class(bundle, label, patch_KHW, metadata_KM, table.content_hash(), out / "grown.zip")
    held_N = np.flatnonzero((fold_N == validation) & real_N & ~shows_N)
    test_N = np.flatnonzero(np.isin(fold_N, test) & real_N)
    before = _judge(table, bundle, held_N, test_N)
    after = _judge(table, load_bundle(out / "grown.zip"), held_N, test_N)
    return before[["unit", "actual", "predicted"]].assign(after=after["predicted"].to_numpy(), enrolled=len(enrolled_N))


def _judge(table: SampleTable, bundle: Bundle, held_N: Rows, test_N: Rows) -> pd.DataFrame:
    """Return decisions on units, `unknown` beyond the threshold of held-out units of known classes."""
    distance_N = OnnxClassifier(bundle).nearest_distance(*_inputs(table, held_N, bundle))
    threshold = unknown_threshold(unit_distance(table.rows.iloc[held_N], distance_N), _FALSE_UNKNOWN_RATE)
    bundle = replace(bundle, thresholds={**bundle.thresholds, UNKNOWN_DISTANCE: threshold})
    return judge(bundle, table.rows.iloc[test_N], *_inputs(table, test_N, bundle))


def _inputs(table: SampleTable, rows_N: Rows, bundle: Bundle) -> tuple[Any, Any]:
    rows = table.rows.iloc[rows_N]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    return patch_NHW, rows[list(bundle.manifest.attributes)].to_numpy(np.float32, copy=True)


def _row(label: str, judged: pd.DataFrame) -> list[str]:
    own, others = judged[judged["actual"] == label], judged[judged["actual"] != label]
    return [
        label, str(len(own)), f"{(own['predicted'] == UNKNOWN).mean():.3f}", f"{(own['after'] == label).mean():.3f}",
        f"{(others['predicted'] == UNKNOWN).mean():.3f}", f"{(others['after'] == UNKNOWN).mean():.3f}",
        f"{(others['predicted'] == others['actual']).mean():.3f} > {(others['after'] == others['actual']).mean():.3f}",
    ]  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
