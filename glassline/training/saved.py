"""A fitted model on disk: weights as safetensors, the rest as JSON; no pickles."""

import json
from pathlib import Path

import pandas as pd
from safetensors.torch import load_file, save_file

from glassline.data.storage import written_whole
from glassline.errors import ModelError
from glassline.models.registry import PATCH_PX, build_model
from glassline.training.loop import Fitted
from glassline.training.settings import TrainingSettings

_WEIGHTS, _MODEL, _HISTORY = "model.safetensors", "model.json", "history.csv"


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
