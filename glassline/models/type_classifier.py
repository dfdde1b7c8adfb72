"""Classifier of defect types: a plain ResNet on windows of a defect.

Source: He and Liu 2020 (system E of the reading), section III.B.2 (ResNet-101), with random weights.
Shapes: N windows, P x P pixels, D channels (1 grey, 3 red, green, blue), C classes.
"""

from torch import Tensor, nn
from torchvision import models

from glassline.models.settings import TypeSettings

_BUILDERS = {
    "resnet18": models.resnet18, "resnet34": models.resnet34, "resnet50": models.resnet50,
    "resnet101": models.resnet101, "resnet152": models.resnet152,
}  # fmt: skip


class TypeClassifier(nn.Module):
    """Windows of 8 bit in, one logit of each class out."""

    def __init__(self, name: str, colour: bool, classes: int) -> None:
        """Build it.

        Args:
            name: ResNet of torchvision, such as resnet101.
            colour: Whether windows have three channels.
            classes: Types, and the clean class.
        """
        super().__init__()
        self.colour = colour
        self.network = _BUILDERS[name](weights=None, num_classes=classes)
        if not colour:
            first = nn.Conv2d(1, self.network.conv1.out_channels, 7, stride=2, padding=3, bias=False)
            nn.init.kaiming_normal_(first.weight, mode="fan_out", nonlinearity="relu")
            self.network.conv1 = first

    def forward(self, window: Tensor) -> Tensor:
        """Return logits (N, C) of windows (N, P, P) or, in colour, (N, P, P, 3)."""
        window_NDPP = window.permute(0, 3, 1, 2) if self.colour else window[:, None]
        logits_NC: Tensor = self.network(window_NDPP.float() / 127.5 - 1)
        return logits_NC


def build_type_classifier(settings: TypeSettings, colour: bool, classes: int) -> TypeClassifier:
    """Build the classifier that settings name, for `classes` classes with the clean one."""
    return TypeClassifier(settings.network, colour, classes)
