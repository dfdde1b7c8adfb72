"""Names of the models: one row per model, its builder, source and default input."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from glassline.errors import SettingsError
from glassline.models.cnn import build_cnn
from glassline.models.ensemble import build_average, build_fusion, build_stacking
from glassline.models.metadata import build_metadata
from glassline.models.mlp import build_mlp
from glassline.models.settings import PATCH_PX, CnnSettings

#: Defaults that `describe` counts at: the attributes of candidates, and the paper's classes.
METADATA, CLASSES = 32, 4

Builder = Callable[[int, int, int, CnnSettings], nn.Module]


@dataclass(frozen=True)
class Entry:
    """A model by name."""

    build: Builder
    source: str


MODELS: dict[str, Entry] = {
    "mlp": Entry(build_mlp, "system A, Fig. 2 (baseline)"),
    "cnn": Entry(build_cnn, "system A, eq. 1-4 (vanilla CNN)"),
    "metadata": Entry(build_metadata, "system A, section 3.1 (metadata branch alone)"),
    "ensemble_fusion": Entry(build_fusion, "system A, section 3.1 (feature fusion)"),
    "ensemble_average": Entry(build_average, "system A, section 3.1 (probability average)"),
    "ensemble_stacking": Entry(build_stacking, "system A, section 3.1 (stacking)"),
}


@dataclass(frozen=True)
class Description:
    """What `glassline models` prints; gflop counts multiplications and additions, 1e9 of them, one patch."""

    name: str
    source: str
    parameters: int
    gflop: float
    input_shape: dict[str, list[int]]


def build_model(name: str, patch_px: int, metadata: int, classes: int, settings: CnnSettings) -> nn.Module:
    """Build a model by name.

    Raises:
        SettingsError: No model has this name; lists the names.
    """
    if name not in MODELS:
        raise SettingsError(f"model must be one of {', '.join(MODELS)}, got {name!r}; see `glassline models`")
    return MODELS[name].build(patch_px, metadata, classes, settings)


def describe(name: str) -> Description:
    """Count parameters and operations of a model at its default setting."""
    model = build_model(name, PATCH_PX, METADATA, CLASSES, CnnSettings()).eval()
    patch_BHW, metadata_BM = torch.zeros(1, PATCH_PX, PATCH_PX), torch.zeros(1, METADATA)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(patch_BHW, metadata_BM)
    return Description(
        name,
        MODELS[name].source,
        sum(weight.numel() for weight in model.parameters()),
        counter.get_total_flops() / 1e9,
        {"patch": [1, PATCH_PX, PATCH_PX], "metadata": [1, METADATA]},
    )


def describe_all() -> list[dict[str, Any]]:
    """Describe every model, in the order of the registry."""
    return [asdict(describe(name)) for name in MODELS]
