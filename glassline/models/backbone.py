"""A network of a library by name, with a new last layer: what a base is trained as and a target is fine-tuned from.

Source: system D of the reading (Dataonomy, section 3.1: Inception V3 whose last layer fits the classes; 3.2: no layer
frozen, only the last one new). Inception's auxiliary head, which the reading does not speak of, is left out.
Shapes: B patches, H x W pixels, M metadata values, F features, C classes.
"""

from __future__ import annotations

import copy
import difflib
from typing import Any, cast

import torch
from torch import Tensor, nn

from glassline.errors import SettingsError
from glassline.models.settings import PATCH_PX, BackboneSettings, NetworkSettings

#: Networks of timm are named `timm/NAME`, those of torchvision by their plain name.
TIMM = "timm/"
# What torchvision's networks were trained on.
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# Their weights were trained on [-1, 1], which `transform_input` makes of ImageNet's scaling.
_INCEPTIONS = {"inception_v3", "googlenet"}


class Backbone(nn.Module):
    """A network of torchvision or timm up to its last layer."""

    mean_3: Tensor
    deviation_3: Tensor

    def __init__(self, name: str) -> None:
        """Build it with random weights.

        Args:
            name: Name in torchvision, such as `inception_v3`, or `timm/` and a name of timm, such as
                `timm/resnet10t.c3_in1k`.

        Raises:
            SettingsError: No network has this name, it has no last linear layer, or it reads no patch of 112 px.
        """
        super().__init__()
        check_backbone(name)
        mean, deviation = _MEAN, _DEVIATION
        if name.startswith(TIMM):
            import timm  # not on every machine that trains the others

            self.network = timm.create_model(name.removeprefix(TIMM), num_classes=0)
            self.head = ""
            told: Any = self.network.pretrained_cfg
            mean, deviation = told["mean"], told["std"]
        else:
            self.network, self.head = _torchvision(name)
        self.register_buffer("mean_3", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation_3", torch.tensor(deviation).view(3, 1, 1), persistent=False)
        self.features, self._last_map = self._probe(name)

    @property
    def last_convolution(self) -> nn.Module:
        """The part whose output is the last map: what a class activation map reads."""
        return self.network.get_submodule(self._last_map)

    def forward(self, patch_BHW: Tensor) -> Tensor:
        """Return features (B, F) of grey levels in [0, 255]."""
        image_B3HW = (patch_BHW.unsqueeze(1) / 255 - self.mean_3) / self.deviation_3
        return cast(Tensor, self.network(image_B3HW))

    def _probe(self, name: str) -> tuple[int, str]:
        """Return the number of features and the name of the last part that puts out a map of more than one place."""
        maps: list[str] = []

        def keep(part: str) -> Any:
            def hook(module: nn.Module, given: Any, output: Any) -> None:
                if isinstance(output, Tensor) and output.ndim == 4 and output.shape[-1] > 1:
                    maps.append(part)

            return hook

        hooks = [module.register_forward_hook(keep(part)) for part, module in self.network.named_modules() if part]
        training = self.training
        try:
            with torch.no_grad():
                told = self.eval()(torch.zeros(1, PATCH_PX, PATCH_PX))
        except (RuntimeError, AssertionError, ValueError) as error:
            raise SettingsError(
                f"backbone.network must read patches of {PATCH_PX} px, {name} does not ({error}); choose a "
                "convolutional network"
            ) from None
        finally:
            for hook in hooks:
                hook.remove()
            self.train(training)
        if not maps:
            raise SettingsError(f"backbone.network must be convolutional, {name} makes no map; choose another network")
        return int(told.shape[1]), maps[-1]


class TransferNetwork(nn.Module):
    """A backbone and one linear layer; looks at no metadata. Without classes it gives features."""

    def __init__(self, classes: int, settings: BackboneSettings) -> None:
        """Build it with random weights; see `Backbone` for what is refused."""
        super().__init__()
        self.image = Backbone(settings.network)
        self.last = _last_layer(self.image.features, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return the backbone's features (B, F)."""
        return cast(Tensor, self.image(patch_BHW))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); grey levels in [0, 255]."""
        return cast(Tensor, self.last(self.embed(patch_BHW, metadata_BM)))

    def with_classes(self, classes: int) -> TransferNetwork:
        """Return a copy with a new, random last layer, in training mode and with nothing frozen."""
        other = copy.deepcopy(self)
        other.last = _last_layer(self.image.features, classes)
        return other.requires_grad_(True).train()


def check_backbone(name: str) -> None:
    """Refuse a name that is no network's.

    Raises:
        SettingsError: No network has this name; lists the nearest ones.
    """
    from torchvision import models

    known = models.list_models(module=models)
    if name in known:
        return
    import timm

    known += [TIMM + one for one in (*timm.list_models(), *timm.list_models(pretrained=True))]
    if name not in known:
        near = difflib.get_close_matches(name, dict.fromkeys(known), 3, 0.5)
        raise SettingsError(
            f"backbone.network must be a network of torchvision, or {TIMM}NAME of timm, got {name!r}; "
            f"did you mean {', '.join(near) or 'inception_v3'}?"
        )


def build_transfer(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> TransferNetwork:
    """Build the network with random weights; what it is handed beside the patch it ignores."""
    return TransferNetwork(classes, settings.backbone)


def _torchvision(name: str) -> tuple[nn.Module, str]:
    """Return a network of torchvision without its last linear layer, and where that was."""
    from torchvision import models

    told = {"aux_logits": False, "transform_input": True, "init_weights": True} if name in _INCEPTIONS else {}
    network = models.get_model(name, weights=None, **told)
    linear = [part for part, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise SettingsError(f"backbone.network must end in a linear layer, {name} does not; choose another network")
    network.set_submodule(linear[-1], nn.Identity())
    return network, linear[-1]


def _last_layer(features: int, classes: int) -> nn.Module:
    return nn.Linear(features, classes) if classes else nn.Identity()
