"""Names of the classifiers: one row per model, its builder and source; what `glassline models` says of all networks."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from glassline.errors import SettingsError
from glassline.models.backbone import build_transfer
from glassline.models.cnn import build_cnn
from glassline.models.ensemble import build_average, build_fusion, build_stacking
from glassline.models.metadata import build_metadata
from glassline.models.mlp import build_mlp
from glassline.models.receptive_field import receptive_field_px
from glassline.models.segmenters import NETWORKS, build_segmenter
from glassline.models.settings import PATCH_PX, NetworkSettings, UnetSettings
from glassline.models.triplet import build_siamese, build_triplet

#: Defaults that `describe` counts at: the attributes of candidates, and the paper's classes.
METADATA, CLASSES = 32, 4
#: Defaults that `describe` counts segmentation networks at: the paper's light states and patch.
STATES, ZONE_PATCH_PX = 6, 1024

Builder = Callable[[int, int, int, NetworkSettings], nn.Module]


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
    "triplet": Entry(build_triplet, "system B, eq. 2-4"),
    "siamese": Entry(build_siamese, "system B, eq. 1"),
    "transfer": Entry(build_transfer, "system D, section 3.1 (Inception V3, or another backbone)"),
}


@dataclass(frozen=True)
class Description:
    """What `glassline models` prints of a network at its default setting.

    Attributes:
        name: Name in settings.
        source: Where it is published.
        parameters: Number of weights.
        gflop: Multiplications and additions of one patch, 1e9 of them.
        input_shape: Shape of each input for one patch.
        receptive_field_px: Edge of what one output pixel depends on, of segmentation networks.
    """

    name: str
    source: str
    parameters: int
    gflop: float
    input_shape: dict[str, list[int]]
    receptive_field_px: int | None = None


def build_model(name: str, patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> nn.Module:
    """Build a model by name.

    Raises:
        SettingsError: No model has this name; lists the names.
    """
    if name not in MODELS:
        raise SettingsError(f"model must be one of {', '.join(MODELS)}, got {name!r}; see `glassline models`")
    return MODELS[name].build(patch_px, metadata, classes, settings)


def describe(name: str) -> Description:
    """Count parameters and operations of a network at its default setting; nothing is computed, only counted."""
    with torch.device("meta"):
        if name in NETWORKS:
            return _segmenter(name)
        model = build_model(name, PATCH_PX, METADATA, CLASSES, NetworkSettings())
        return _counted(name, MODELS[name].source, model, {"patch": (PATCH_PX, PATCH_PX), "metadata": (METADATA,)})


def describe_all() -> list[dict[str, Any]]:
    """Describe every network, in the order of the registries."""
    return [asdict(describe(name)) for name in (*MODELS, *NETWORKS)]


def _segmenter(name: str) -> Description:
    settings = UnetSettings.parse({"network": name})
    shape = {"sigmas": (STATES, ZONE_PATCH_PX, ZONE_PATCH_PX)}
    counted = _counted(name, NETWORKS[name].source, build_segmenter(STATES, settings), shape)
    with torch.device("cpu"):
        narrow = build_segmenter(STATES, settings.model_copy(update={"width": 1 / 32}))
        return replace(counted, receptive_field_px=receptive_field_px(narrow, STATES, settings.block_px))


def _counted(name: str, source: str, model: nn.Module, shape: Mapping[str, tuple[int, ...]]) -> Description:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(*(torch.zeros(1, *size) for size in shape.values()))
    parameters = sum(weight.numel() for weight in model.parameters())
    inputs = {one: [1, *size] for one, size in shape.items()}
    return Description(name, source, parameters, counter.get_total_flops() / 1e9, inputs)
