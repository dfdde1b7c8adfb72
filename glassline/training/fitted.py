"""A fitted model: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles.

Shapes: B rows of a batch, N rows of a table, C classes, F features.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glassline.data.samples import SampleTable
from glassline.data.storage import written_whole
from glassline.errors import DataError, ModelError
from glassline.models.registry import build_model
from glassline.models.settings import PATCH_PX
from glassline.training.data import PatchDataset, batches
from glassline.training.settings import TrainingSettings

_WEIGHTS, _MODEL, _HISTORY = "model.safetensors", "model.json", "history.csv"


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
    with written_whole(folder) as beside:
        beside.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in fitted.model.state_dict().items()}, beside / _WEIGHTS)
        fitted.history.to_csv(beside / _HISTORY, index=False)
        about = {
            "name": fitted.name,
            "classes": fitted.classes,
            "clean_class": fitted.clean_class,
            "attributes": fitted.attributes,
            "settings": fitted.settings.model_dump(),
        }
        (beside / _MODEL).write_text(json.dumps(about, indent=2))


def load_fitted(folder: str | Path) -> Fitted:
    """Read a fitted model in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole model; names what is missing.
    """
    folder = Path(folder)
    missing = [name for name in (_WEIGHTS, _MODEL, _HISTORY) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder} must hold a trained model, missing: {missing}; run train_ensemble again")
    about = json.loads((folder / _MODEL).read_text())
    settings = TrainingSettings.parse(about["settings"])
    model = build_model(about["name"], PATCH_PX, len(about["attributes"]), len(about["classes"]), settings.cnn)
    model.load_state_dict(load_file(folder / _WEIGHTS))
    try:
        history = pd.read_csv(folder / _HISTORY)
    except pd.errors.EmptyDataError:  # resumed after the last epoch
        history = pd.DataFrame()
    return Fitted(
        about["name"], model.eval(), tuple(about["classes"]), about["clean_class"], tuple(about["attributes"]),
        settings, history,
    )  # fmt: skip
