"""A fitted model: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles.

Shapes: B rows of a batch, N rows of a table, C classes, F features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """A trained model and what it needs to be run: names, columns and settings.

    Attributes:
        start: Where the weights that it started from came from and what was taken of them, "" of random ones.
        sources: Sources that it was trained on before.
    """

    name: str
    model: nn.Module
    classes: tuple[str, ...]
    clean_class: str
    attributes: tuple[str, ...]
    settings: TrainingSettings
    history: pd.DataFrame
    start: str = ""
    sources: tuple[str, ...] = ()


def predict(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return class probabilities (N, C) of rows of a table."""
    return run_rows(fitted.model, table, rows_N, fitted.attributes, lambda m, p, x: m(p, x).softmax(1))


def embed(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return the activations before the last layer (N, F) of rows of a table."""
    return run_rows(fitted.model, table, rows_N, fitted.attributes, lambda m, p, x: m.embed(p, x))


@torch.no_grad()
def run_rows(
    model: nn.Module, table: SampleTable, rows_N: npt.NDArray[np.intp], attributes: Sequence[str],
    call: Callable[..., Tensor],
) -> npt.NDArray[np.float32]:  # fmt: skip
    """Return what a call makes of the model and every batch of rows: of patches (B, H, W) and metadata (B, M).

    Raises:
        DataError: There is no row.
    """
    if not len(rows_N):
        raise DataError("a prediction needs at least one row, got none; check the fold asked for")
    loader = batches(PatchDataset(table, rows_N, attributes), 256, 0)
    parts = [call(model, batch["patch_BHW"].float(), batch["metadata_BM"]) for batch in loader]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def save_fitted(fitted: Fitted, folder: str | Path) -> None:
    """Write a fitted model as a folder, whole or not at all."""
    about = {
        "name": fitted.name,
        "classes": fitted.classes,
        "clean_class": fitted.clean_class,
        "attributes": fitted.attributes,
        "settings": fitted.settings.model_dump(),
        "start": fitted.start,
        "sources": fitted.sources,
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
        about["start"], tuple(about["sources"]),
    )  # fmt: skip
