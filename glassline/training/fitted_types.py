"""A fitted classifier of defect types: run it, write it, read it. Weights as safetensors, the rest as JSON.

Shapes: N windows, P x P pixels, C classes.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pandas as pd
from torch import Tensor, nn

from glassline.models.type_classifier import build_type_classifier
from glassline.settings import Settings
from glassline.training.run_network import run_module
from glassline.training.saved_network import read_network, save_network
from glassline.training.settings import DefectTypeSettings
from glassline.vision.type_windows import CLEAN, RunTypes


class TypeCounts(Settings):
    """What a classifier was trained on."""

    defects: dict[str, int]
    false_positives: int
    random_clean: int

    @property
    def untrained(self) -> tuple[str, ...]:
        """Classes without one training window: the classifier has their output but cannot tell them."""
        none = tuple(name for name, count in self.defects.items() if not count)
        return none if self.false_positives + self.random_clean else (*none, CLEAN)


@dataclass(frozen=True)
class FittedTypes:
    """A classifier and the windows that it reads.

    Attributes:
        model: From windows of 8 bit to logits.
        settings: How it was fitted.
        classes: Types, then the clean class.
        colour: Whether windows have three channels.
        counts: What it was trained on.
        history: Record of the fit, one row per epoch.
    """

    model: nn.Module
    settings: DefectTypeSettings
    classes: tuple[str, ...]
    colour: bool
    counts: TypeCounts
    history: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def window_px(self) -> int:
        """Edge of what it reads."""
        return self.settings.classifier.window_px


class TypesGraph(nn.Module):
    """What is run and exported: windows of 8 bit in, probabilities out."""

    def __init__(self, fitted: FittedTypes) -> None:
        """Wrap a fitted classifier."""
        super().__init__()
        self.model = fitted.model

    def forward(self, window: Tensor) -> Tensor:
        """Return (N, C) of windows (N, P, P) or, in colour, (N, P, P, 3)."""
        return cast(Tensor, self.model(window).softmax(1))


def run_types(fitted: FittedTypes) -> RunTypes:
    """Return what `vision.type_windows.vote_types` runs, on the GPU where there is one."""
    return run_module(TypesGraph(fitted))


def save_types(fitted: FittedTypes, folder: str | Path) -> None:
    """Write a fitted classifier as a folder, whole or not at all."""
    about = {
        "settings": fitted.settings.model_dump(), "classes": fitted.classes, "colour": fitted.colour,
        "counts": fitted.counts.model_dump(),
    }  # fmt: skip
    save_network(folder, fitted.model, about, fitted.history)


def load_types(folder: str | Path) -> FittedTypes:
    """Read a fitted classifier in evaluation mode on the CPU.

    Raises:
        ModelError: The folder holds no whole classifier; names what is missing.
    """
    saved = read_network(folder, "train_defect_types")
    settings, classes = DefectTypeSettings.parse(saved.about["settings"]), tuple(saved.about["classes"])
    colour = bool(saved.about["colour"])
    model = saved.restore(build_type_classifier(settings.classifier, colour, len(classes)))
    return FittedTypes(model, settings, classes, colour, TypeCounts.parse(saved.about["counts"]), saved.history)
