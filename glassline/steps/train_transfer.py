"""Fine-tune a classifier of a target from a base that was retrained on sources, and tell what they were worth."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.analysis.image_rates import best_threshold, by_image, image_rates
from glassline.analysis.transfer_arms import sources_of_arm
from glassline.data.samples import SampleTable, read_samples
from glassline.data.sources import defective_rows
from glassline.data.splits import fold_images, test_rows
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store import Store, open_store
from glassline.errors import DataError
from glassline.steps.select_sources import SELECTION
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD, training_rows
from glassline.tracking import StepRun, step_run
from glassline.training.settings import TransferSettings
from glassline.vision.annotated_images import AnnotatedImages, tells_places
from glassline.vision.cut_patches import CutSettings, with_clean
from glassline.vision.heat_map import HeatSettings
from glassline.vision.heat_store import KeptHeat, model_key

if TYPE_CHECKING:
    from glassline.training.fitted import Fitted

#: Files of the evaluation folder.
EVALUATION, PROBABILITIES, IMAGES = "evaluation.json", "probabilities.parquet", "images.parquet"

_JUDGED = ("image", "probability", "defective")


def train_transfer(
    samples_path: str, target_path: str, sources_paths: Sequence[str], selection_path: str, arm: str,
    content_hash: str, cut: Mapping[str, Any], transfer: Mapping[str, Any], seed: int, store: str, model_path: str,
    evaluation_path: str,
) -> str:  # fmt: skip
    """Retrain a base on sources, fine-tune it on the target, evaluate it, and return a hash of the model.

    Trained on all folds but two. The threshold is that of the highest TPR + TNR on images of one of them, the figures
    are of the other. An image is judged by windows on a grid over all of it, or by its candidates where those are what
    is cut: where it is annotated decides nothing.

    Args:
        samples_path: Table of the target's images.
        target_path: Table of their patches with folds and a clean class.
        sources_paths: Tables of patches of other products.
        selection_path: Folder written by `select_sources`.
        arm: What the base learns from: `dataonomy`, the sources chosen there; `all` sources; `random`, sources in an
            order that the seed draws, while they fit the same budget; `none`, no base is trained.
        content_hash: Hash of what affinity was measured on, and of its result; a model of other data is not taken from
            a cache.
        cut: Fields of `CutSettings` that the patches were cut with.
        transfer: Fields of `TransferSettings`.
        seed: Seed of weights, order and augmentation.
        store: Folder or S3 URL for checkpoints, finished bases and heat; a killed try resumes from there.
        model_path: Folder for weights, settings and history, as `train_ensemble` writes it.
        evaluation_path: Folder for `evaluation.json`, `probabilities.parquet` (one row per validation and test
            patch: id, image, fold, defective, probability of a defect) and `images.parquet` (one row per image of both
            folds: image, fold, defective, highest probability).

    Raises:
        SettingsError: Another arm, or a network that does not exist.
        DataError: A table without folds or clean class, or whose product is among the sources; fewer than two classes
            to learn; a validation fold without defective or without clean images.
        ModelError: The loss left the finite numbers, or the file of starting weights does not fit.
    """
    from glassline.report.figures import curves_figure
    from glassline.training.fitted import save_fitted
    from glassline.training.sharing import end_others
    from glassline.training.starting_weights import RANDOM
    from glassline.training.transfer import fine_tune, kept_base

    params = {"arm": arm, "cut": dict(cut), "transfer": dict(transfer), "seed": seed}
    with step_run("train_transfer", params, part=arm) as run:
        settings, samples = TransferSettings.parse(transfer), read_samples(samples_path, "images")
        target = read_samples(target_path, "patches", extra=["fold"])
        tables = [read_samples(path, "patches") for path in sources_paths]
        sources, train_N = (
            sources_of_arm(arm, target, tables, Path(selection_path) / SELECTION, seed),
            training_rows(target),
        )
        _check_validation(target)
        place, base = open_store(store), None

        def of_base(epoch: int, values: dict[str, float]) -> None:
            run.metrics({f"base_{name}": value for name, value in values.items()}, step=epoch)
            run.progress(epoch + 1, settings.base_epochs, f"epochs of the base, loss {values['train_loss']:.4f}")

        if arm != "none":
            base = kept_base(sources, settings, seed, place, of_base)
            if len(base.history):
                run.figure(curves_figure(base.history), "curves_base")
        fitted = fine_tune(
            base, target, train_N, test_rows(target, VALIDATION_FOLD), settings, seed, place.below("checkpoints"),
            lambda epoch, values: run.epoch(epoch, values, settings.epochs),
        )  # fmt: skip
        end_others()
        save_fitted(fitted, model_path)
        rows = _patches(fitted, target)
        images = _images(run, fitted, model_path, place, samples, target, rows, CutSettings.parse(cut))
        figures = _figures(rows, images)
        told: dict[str, Any] = {
            "arm": arm, "network": settings.backbone.network, "weights": fitted.start, "sources": fitted.sources,
            "samples": sum(map(len, sources)), "target_samples": len(train_N), **figures,
        }  # fmt: skip
        with written_whole(evaluation_path) as beside:
            beside.mkdir(parents=True)
            known = {name: None if value != value else value for name, value in told.items()}  # JSON has no NaN
            (beside / EVALUATION).write_text(json.dumps(known, indent=2))
            rows.to_parquet(beside / PROBABILITIES)
            images.to_parquet(beside / IMAGES)
        run.metrics({"samples": told["samples"], "target_samples": len(train_N), **figures})
        if len(fitted.history):
            run.figure(curves_figure(fitted.history), "curves")
        if fitted.start.startswith(RANDOM):
            run.note(f"the network started from weights that are {fitted.start}: figures of pretrained ones are higher")
        return folder_hash(model_path)


def _patches(fitted: "Fitted", target: SampleTable) -> pd.DataFrame:
    """Return the probability of a defect of validation and test patches."""
    from glassline.training.fitted import predict

    rows_N = np.concatenate([test_rows(target, VALIDATION_FOLD), test_rows(target, TEST_FOLD)])
    rows = target.rows.iloc[rows_N][["id", "image", "fold"]].reset_index(drop=True)
    rows["defective"] = defective_rows(target, rows_N)
    clean_N = predict(fitted, target, rows_N)[:, target.classes.index(target.clean_class)]
    rows["probability"] = (1 - clean_N.astype(np.float64)).clip(0, 1)
    return rows


def _images(
    run: StepRun, fitted: "Fitted", model_path: str, store: Store, samples: SampleTable, target: SampleTable,
    patches: pd.DataFrame, cut: CutSettings,
) -> pd.DataFrame:  # fmt: skip
    """Return the highest probability of validation and test images; their annotation tells only what is right."""
    from glassline.training.image_probability import image_probabilities

    parts = []
    for fold in (VALIDATION_FOLD, TEST_FOLD):
        if tells_places(named := with_clean(samples)):
            # Patches were cut where defects are annotated, and few of what is clean: they would flatter.
            numbers = fold_images(samples, target, fold)
            images = AnnotatedImages(named, False, cut.depth_window, cut.light_state)
            laid = HeatSettings(window_px=cut.window_px, step_px=cut.step_px)
            kept = KeptHeat(images, laid, model_key(model_path), store)
            found = image_probabilities(
                fitted, kept, numbers, lambda done, total: run.progress(done, total, "images judged")
            )
            found.insert(0, "image", samples.rows["id"].iloc[numbers].to_numpy())
        else:
            found = by_image(*(patches.loc[patches["fold"] == fold, name].to_numpy() for name in _JUDGED))
        parts.append(found.assign(fold=fold))
    return pd.concat(parts, ignore_index=True)


def _figures(patches: pd.DataFrame, images: pd.DataFrame) -> dict[str, float]:
    """Return figures of the test fold, by the threshold of the validation images."""
    from sklearn.metrics import average_precision_score

    validation, test = (images[images["fold"] == fold] for fold in (VALIDATION_FOLD, TEST_FOLD))
    rates = image_rates(test, best_threshold(validation))
    tested = patches[patches["fold"] == TEST_FOLD]
    some = bool(tested["defective"].any())
    precision = average_precision_score(tested["defective"], tested["probability"]) if some else np.nan
    return {**asdict(rates), "average_precision": float(precision)}


def _check_validation(target: SampleTable) -> None:
    """Refuse a target of which no threshold could be found, before hours of training."""
    if not target.clean_class:
        raise DataError("a target needs a class without defect, got none; import it with clean_class")
    rows_N = test_rows(target, VALIDATION_FOLD)
    image_N, defective_N = target.rows["image"].iloc[rows_N].to_numpy(), defective_rows(target, rows_N)
    best_threshold(by_image(image_N, np.zeros(len(rows_N)), defective_N))
