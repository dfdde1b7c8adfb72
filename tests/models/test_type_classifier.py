"""The classifier of defect types."""

from typing import get_args

import pytest
import torch

from glassline.models.settings import TypeSettings
from glassline.models.type_classifier import _BUILDERS, build_type_classifier


def test_every_network_of_the_settings_is_built():
    assert set(_BUILDERS) == set(get_args(TypeSettings.model_fields["network"].annotation))


@pytest.mark.parametrize(("colour", "shape"), [(False, (2, 64, 64)), (True, (2, 64, 64, 3))])
def test_classifier_reads_windows_of_8_bit(colour, shape):
    model = build_type_classifier(TypeSettings(network="resnet18"), colour, 4).eval()
    assert model(torch.zeros(shape, dtype=torch.uint8)).shape == (2, 4)


def test_published_network_is_resnet101():
    with torch.device("meta"):
        model = build_type_classifier(TypeSettings(), True, 7)
    count = sum(weight.numel() for weight in model.parameters())
    assert count == 44_549_160 - 1000 * 2049 + 7 * 2049  # torchvision's, with another last layer
