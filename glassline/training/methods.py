"""A method by its name, fitted on some rows and judged on others, whether it is a network or a comparator.

Torch is loaded by the first fit only. Shapes: N rows, C classes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.samples import SampleTable
from glassline.data.store import Store
from glassline.errors import SettingsError
from glassline.models.settings import COMPARATOR_NAMES, MODEL_NAMES
from glassline.training.settings import TrainingSettings

if TYPE_CHECKING:
    from glassline.training.history import EpochHook


def check_methods(names: Sequence[str]) -> None:
    """Refuse names that are neither networks nor comparators.

    Raises:
        SettingsError: A name is unknown, or there is none.
    """
    known = (*MODEL_NAMES, *COMPARATOR_NAMES)
    if not names or not set(names) <= set(known):
        raise SettingsError(f"models must be among {', '.join(known)}, got {list(names)}; see `glassline models`")


def for_few_rows(settings: TrainingSettings, rows: int) -> TrainingSettings:
    """Return settings with as many epochs as `least_steps` on so many rows take: a handful is one batch."""
    batches = -(-rows // settings.batch_size)
    return settings.model_copy(update={"epochs": max(settings.epochs, -(-settings.least_steps // batches))})


def fit_and_predict(
    name: str, table: SampleTable, train_N: npt.NDArray[np.intp], test_N: npt.NDArray[np.intp],
    settings: TrainingSettings, seed: int, checkpoints: Store, on_epoch: "EpochHook",
) -> tuple[npt.NDArray[np.float32], pd.DataFrame]:  # fmt: skip
    """Fit a method on some rows and judge others.

    Args:
        name: One of `MODEL_NAMES` or `COMPARATOR_NAMES`.
        table: Table of patches.
        train_N: Row positions to train on, augmented copies included.
        test_N: Row positions to judge, at least one.
        settings: How to train; patience must be 0, since no row is left to stop by.
        seed: Seed of the fit.
        checkpoints: Where checkpoints go; a killed fit of a network resumes from there.
        on_epoch: Called with (epoch, metrics) after every epoch of a network.

    Returns:
        Class probabilities (N, C) of the rows judged, and the metrics of every epoch, empty for comparators.

    Raises:
        DataError: Training rows are of fewer than two classes, or nothing is to be judged; see `fit_model`.
        ModelError: A network left the finite numbers, or collapsed.
    """
    if name in COMPARATOR_NAMES:
        from glassline.training.comparators import predict_comparator

        return predict_comparator(name, table, train_N, test_N, settings, seed), pd.DataFrame()
    from glassline.training.fitted import predict
    from glassline.training.loop import fit_model

    fitted = fit_model(name, table, train_N, test_N[:0], settings, seed, checkpoints, on_epoch)
    return predict(fitted, table, test_N), fitted.history
