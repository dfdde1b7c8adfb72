"""Train one candidate of a cycle, from scratch, the champion or chosen sources, and cross-validate it."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassline.analysis.defect_rates import defect_rates
from glassline.analysis.metrics import classifier_metrics
from glassline.data.samples import SampleTable, read_samples
from glassline.data.splits import check_leak
from glassline.data.storage import code_hash, content_key, sha256_file
from glassline.data.store import Store, open_store
from glassline.models.settings import METRIC_MODEL_NAMES
from glassline.steps.cross_validate import Judged, Rows, validate_fold, write_folds
from glassline.steps.cycle.starting_weights import starting_weights
from glassline.steps.train_ensemble import train_and_write, training_rows
from glassline.steps.train_triplet import with_pairs
from glassline.tracking import StepRun, step_run
from glassline.training.candidate import Candidate
from glassline.training.failed_fit import FailedFitError, write_failure
from glassline.training.settings import TrainingSettings

if TYPE_CHECKING:
    from glassline.training.history import EpochHook
    from glassline.training.warm_start import WarmStart

#: What stands for the hash of weights that there are none of.
FAILED = "failed"


def train_candidate(
    augmented_path: str, content_hash: str, candidate: Mapping[str, Any], chosen_path: str, registered_model: str,
    training: Mapping[str, Any], seed: int, store: str, model_path: str, validated_path: str,
) -> str:  # fmt: skip
    """Cross-validate a candidate, train it on all folds but the test and validation ones, and return its hash.

    Every fold of the table is tested. Each fit starts from the same weights as the model that is exported. Those of
    the champion may have learnt from units of the same data set, which is noted; chosen sources hold none. What a
    killed try trained is read from the store.

    A candidate whose loss leaves the finite numbers, whose embeddings become one point, or that shares no weight with
    its start, fails alone: the folders then tell why, and the gate refuses it.

    Args:
        augmented_path: Table of patches with folds and augmented copies.
        content_hash: Hash of what it was made of; results of other content are not taken from a cache.
        candidate: Fields of `Candidate`.
        chosen_path: Folder written by `choose_sources`; read where the candidate starts from sources.
        registered_model: Name of the product's classifier in the registry.
        training: Fields of `TrainingSettings`; cross-validation runs without patience, as no fold is left to stop by.
        seed: Seed of every fit.
        store: Folder or S3 URL for checkpoints and finished fits.
        model_path: Folder for weights, settings and history.
        validated_path: Folder for `predictions.parquet` and `history.parquet`, as `cross_validate` writes them.

    Returns:
        SHA-256 of the weights: equal for equal data, settings, seed, start and code on one machine; `failed` of none.

    Raises:
        SettingsError: A candidate that is none, or that starts from the champion where that is another model.
        DataError: A table without folds, or a leak.
        TrackingError: The registry does not answer.
    """
    told = Candidate.parse(candidate)
    params = {"candidate": told.model_dump(), "training": dict(training), "seed": seed}
    with step_run("train_candidate", params, part=told.name) as run:
        settings = TrainingSettings.parse(training)
        # Its own place: candidates are trained at the same time, and two of one model may start from the same weights.
        place = open_store(store).below("candidates").below(told.name)
        table = read_samples(augmented_path, "patches", extra=["fold", "augmentation"])
        check_leak(table)
        try:
            start = starting_weights(run, told, table, chosen_path, registered_model, settings, seed, place)
            _validate(run, table, told, settings, seed, place, start, validated_path)
            train_N = _known(run, table, training_rows(table), told.model)
            train_and_write(run, table, train_N, told.model, settings, seed, place.url, model_path, start)
        except FailedFitError as error:
            run.note(f"{told.name} takes no part, its training failed: {error}")
            for folder in (model_path, validated_path):
                write_failure(folder, str(error))
            run.tags({"model_hash": FAILED})
            return FAILED
        model_hash = _model_hash(model_path)
        run.tags({"model_hash": model_hash})
        return model_hash


def _validate(
    run: StepRun, table: SampleTable, candidate: Candidate, settings: TrainingSettings, seed: int, place: Store,
    start: "WarmStart | None", validated_path: str,
) -> None:  # fmt: skip
    """Predict every unit by a fit that had not seen it, and write and log that."""
    of_folds = settings.model_copy(update={"patience": 0})
    key = _key(table, of_folds, seed, start)
    fit = partial(_fit_and_predict, run, table, candidate.model, of_folds, seed, place.below("checkpoints"), start)
    folds = sorted(map(int, set(table.rows["fold"])))
    run.params({"folds": len(folds)})
    results = [
        validate_fold(run, table, candidate.name, fold, f"folds/{key}", place, partial(fit, fold)) for fold in folds
    ]
    judged = write_folds(results, validated_path)
    metrics = classifier_metrics(judged["actual"], judged["predicted"], table.classes)
    rates = defect_rates(judged["actual"], judged["predicted"], table.clean_class)
    run.metrics({**metrics.as_dict(), **rates, "units": len(judged)})


def _fit_and_predict(
    run: StepRun, table: SampleTable, model: str, settings: TrainingSettings, seed: int, checkpoints: Store,
    start: "WarmStart | None", fold: int, train_N: Rows, test_N: Rows, on_epoch: "EpochHook",
) -> Judged:  # fmt: skip
    from glassline.training.fitted import predict
    from glassline.training.loop import fit_model

    known_N = _known(run, table, train_N, model)
    fitted = fit_model(
        model, table, known_N, test_N[:0], settings, seed + fold, checkpoints, on_epoch, start=start
    )  # fmt: skip
    return predict(fitted, table, test_N), fitted.history


def _known(run: StepRun, table: SampleTable, train_N: Rows, model: str) -> Rows:
    """Return the rows that a model can train on."""
    return with_pairs(run, table, train_N, model) if model in METRIC_MODEL_NAMES else train_N


def _key(table: SampleTable, settings: TrainingSettings, seed: int, start: "WarmStart | None") -> str:
    """Name the folds of a candidate by all that decides them."""
    what = [
        table.content_hash(), settings.model_dump(), seed, start.content_hash() if start else "",
        code_hash("models", "training", "analysis", "vision"),
    ]  # fmt: skip
    return content_key(what)


def _model_hash(model_path: str) -> str:
    from glassline.training.saved_network import WEIGHTS

    return sha256_file(Path(model_path) / WEIGHTS)
