"""A trained network as a folder: weights as safetensors, the rest as JSON and CSV; no pickles."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from glassline.data.storage import written_whole
from glassline.errors import ModelError

#: File of the weights.
WEIGHTS = "model.safetensors"
_MODEL, _HISTORY = "model.json", "history.csv"


@dataclass(frozen=True)
class SavedNetwork:
    """What a folder holds.

    Attributes:
        about: What `save_network` was told beside the weights.
        history: Record of the fit, one row per epoch; empty where it was resumed after the last one.
    """

    folder: Path
    about: dict[str, Any]
    history: pd.DataFrame
    _weights: dict[str, Tensor]

    def restore(self, model: nn.Module) -> nn.Module:
        """Return the model with these weights, in evaluation mode.

        Raises:
            ModelError: They are another network's.
        """
        try:
            model.load_state_dict(self._weights)
        except RuntimeError as error:
            raise ModelError(
                f"{self.folder} must hold the weights of the network that it names ({error}); train it again"
            ) from None
        return model.eval()


def save_network(folder: str | Path, model: nn.Module, about: Mapping[str, Any], history: pd.DataFrame) -> None:
    """Write a trained network as a folder, whole or not at all."""
    with written_whole(folder) as beside:
        beside.mkdir(parents=True)
        save_file({name: value.contiguous() for name, value in model.state_dict().items()}, beside / WEIGHTS)
        history.to_csv(beside / _HISTORY, index=False)
        (beside / _MODEL).write_text(json.dumps(about, indent=2))


def read_network(folder: str | Path, step: str) -> SavedNetwork:
    """Read a folder that `save_network` wrote, on the CPU.

    Args:
        folder: The folder.
        step: The step that writes such folders: the remedy.

    Raises:
        ModelError: The folder holds no whole network; names what is missing or broken.
    """
    folder = Path(folder)
    missing = [name for name in (WEIGHTS, _MODEL, _HISTORY) if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder} must hold a trained network, missing: {missing}; run {step} again")
    try:
        about, weights = json.loads((folder / _MODEL).read_text()), load_file(folder / WEIGHTS)
    except (ValueError, SafetensorError) as error:
        raise ModelError(f"{folder} must hold a whole network, got a broken file ({error}); run {step} again") from None
    try:
        history = pd.read_csv(folder / _HISTORY)
    except pd.errors.EmptyDataError:  # resumed after the last epoch
        history = pd.DataFrame()
    return SavedNetwork(folder, about, history, weights)


def weights_hash(model: nn.Module) -> str:
    """Return the SHA-256 of all weights."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        digest.update(name.encode() + value.contiguous().numpy().tobytes())
    return digest.hexdigest()
