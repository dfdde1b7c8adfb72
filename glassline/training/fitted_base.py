"""The base of a transfer: a network, where its weights came from, and what it has been retrained on.

Shapes: N rows of a table, F features.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from glassline.data.samples import SampleTable
from glassline.models.backbone import TransferNetwork
from glassline.models.settings import BackboneSettings, NetworkSettings
from glassline.training.fitted import run_rows
from glassline.training.saved_network import read_network, save_network, weights_hash
from glassline.training.settings import TransferSettings
from glassline.training.starting_weights import load_starting_weights


@dataclass(frozen=True)
class FittedBase:
    """A network to fine-tune from.

    Attributes:
        model: In evaluation mode, on the CPU.
        classes: Classes of its last layer; () of one that was not retrained, which gives features.
        backbone: Which network, and the weights that were asked for.
        weights: Where the weights that it started from came from, such as `random`.
        sources: Names of the sources that it was retrained on.
        history: Record of the fit, one row per epoch.
    """

    model: TransferNetwork
    classes: tuple[str, ...]
    backbone: BackboneSettings
    weights: str
    sources: tuple[str, ...]
    history: pd.DataFrame

    def weights_hash(self) -> str:
        """Return the SHA-256 of all weights."""
        return weights_hash(self.model)


def starting_base(settings: TransferSettings | NetworkSettings, seed: int = 0) -> FittedBase:
    """Return the network with the weights it starts from, untrained.

    Args:
        settings: Its `backbone`.
        seed: Seed of random weights.

    Raises:
        SettingsError: No network has this name.
        ModelError: The file of weights is missing, broken, or another network's.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = TransferNetwork(0, settings.backbone)
        weights = load_starting_weights(model.image, settings.backbone)
    return FittedBase(model.eval(), (), settings.backbone, weights, (), pd.DataFrame())


def features(base: FittedBase, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return what the last layer reads (N, F) of rows of a table of patches."""
    return run_rows(base.model, table, rows_N, (), lambda model, patch, metadata: model.embed(patch, metadata))


def save_base(base: FittedBase, folder: str | Path) -> None:
    """Write a base as a folder, whole or not at all."""
    about = {
        "classes": base.classes, "backbone": base.backbone.model_dump(), "weights": base.weights,
        "sources": base.sources,
    }  # fmt: skip
    save_network(folder, base.model, about, base.history)


def load_base(folder: str | Path) -> FittedBase:
    """Read a base in evaluation mode on the CPU; nothing is downloaded.

    Raises:
        ModelError: The folder holds no whole base; names what is missing.
    """
    saved = read_network(folder, "the step that retrains the base")
    about = saved.about
    backbone = BackboneSettings.parse(about["backbone"])
    model = TransferNetwork(len(about["classes"]), backbone)
    saved.restore(model)
    return FittedBase(
        model, tuple(about["classes"]), backbone, about["weights"], tuple(about["sources"]), saved.history
    )
