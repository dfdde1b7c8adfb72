"""A fitted model: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles.

Shapes: B rows of a batch, N rows of a table, C classes, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor, nn

from glassline.data.samples import SampleTable
from glassline.errors import DataError
from glassline.models.registry import build_model
from glassline.models.settings import PATCH_PX
from glassline.training.data import PatchDataset, batches
from glassline.training.saved_network import read_network, save_network
from glassline.training.settings import TrainingSettings


@dataclass(frozen=True)
class Fitted:
    """A trained model and what it needs to be run: names, columns and settings."""

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    clean_class: str
    attributes: tuple[str, ...]
    settings: TrainingSettings
    history: pd.DataFrame


def predict(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return class probabilities (N, C) of rows of a table."""
    return cast("npt.NDArray[np.float32]", _forward(fitted, table, rows_N, lambda m, p, x: m(p, x).softmax(1)))


def embed(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return the activations before the last layer (N, F) of rows of a table."""
    return cast("npt.NDArray[np.float32]", _forward(fitted, table, rows_N, lambda m, p, x: m.embed(p, x)))


@torch.no_grad()
def _forward(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp], call: Callable[..., Tensor]) -> Any:
    if not len(rows_N):
        raise DataError("a prediction needs at least one row, got none; check the fold asked for")
    loader = batches(PatchDataset(table, rows_N, fitted.attributes), 256, 0)
    parts = [call(fitted.model, batch["patch_BHW"].float(), batch["metadata_BM"]) for batch in loader]
    return torch.cat(parts).numpy()


def save_fitted(fitted: Fitted, folder: str | Path) -> None:
    """Write a fitted model as a folder, whole or not at all."""
    about = {
        "name": fitted.name,
        "classes": fitted.classes,
        "clean_class": fitted.clean_class,
        "attributes": fitted.attributes,
        "settings": fitted.settings.model_dump(),
    }
    save_network(folder, fitted.model, about, fitted.history)


def load_fitted(folder: str | Path) -> Fitted:
    """Read a fitted model in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole model; names what is missing.
    """
    saved = read_network(folder, "train_ensemble")
    about = saved.about
    settings = TrainingSettings.parse(about["settings"])
    model = build_model(about["name"], PATCH_PX, len(about["attributes"]), len(about["classes"]), settings)
    return Fitted(
        about["name"], saved.restore(model), tuple(about["classes"]), about["clean_class"],
        tuple(about["attributes"]), settings, saved.history,
    )  # fmt: skip
