"""A fitted severity detector: run it, write it, read it. Weights as safetensors, the rest as JSON; no pickles."""

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from torch import nn

from glassline.models.severity_detector import build_detector
from glassline.training.saved_network import read_network, save_network
from glassline.training.settings import RegressionSettings


@dataclass(frozen=True)
class FittedDetector:
    """A detector and the images that it reads."""

    model: nn.Module
    settings: RegressionSettings
    history: pd.DataFrame = field(default_factory=pd.DataFrame)


def save_detector(fitted: FittedDetector, folder: str | Path) -> None:
    """Write a fitted detector as a folder, whole or not at all."""
    save_network(folder, fitted.model, {"settings": fitted.settings.model_dump()}, fitted.history)


def load_detector(folder: str | Path) -> FittedDetector:
    """Read a fitted detector in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole detector; names what is missing.
    """
    saved = read_network(folder, "train_regression")
    settings = RegressionSettings.parse(saved.about["settings"])
    return FittedDetector(saved.restore(build_detector(settings.detector)), settings, saved.history)
