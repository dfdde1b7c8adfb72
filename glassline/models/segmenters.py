"""Names of the segmentation networks: one row per network, its builder and its source."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from glassline.models.settings import UnetSettings
from glassline.models.unet import NestedUnet


def _resnet(states: int, settings: UnetSettings) -> nn.Module:
    from glassline.models.resnet_unet import ResnetUnet  # the library is not on every machine that trains the others

    return ResnetUnet(states, settings.block_px)


def _nested(states: int, settings: UnetSettings) -> nn.Module:
    return NestedUnet(states, settings.width, True, settings.block_px)


def _plain(states: int, settings: UnetSettings) -> nn.Module:
    return NestedUnet(states, settings.width, False, settings.block_px)


@dataclass(frozen=True)
class Network:
    """A segmentation network by name."""

    build: Callable[[int, UnetSettings], nn.Module]
    source: str


NETWORKS = {
    "unet_nested": Network(_nested, "system C, section 5.2 (nested weights)"),
    "unet_plain": Network(_plain, "system C, Table 1 (own weights)"),
    "unet_resnet34": Network(_resnet, "system C, Table 1 (ResNet-34 U-Net)"),
}


def build_segmenter(states: int, settings: UnetSettings) -> nn.Module:
    """Build the network that settings name, for `states` light states; see `NestedUnet.forward` for its contract."""
    return NETWORKS[settings.network].build(states, settings)
