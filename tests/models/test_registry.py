"""Parameters and operations by hand formula at the defaults: 112 px, 32 metadata values, 4 classes."""

from itertools import pairwise

import pytest
import torch

from glassline.errors import SettingsError
from glassline.models.registry import MODELS, build_model, describe, describe_all
from glassline.models.segmenters import NETWORKS
from glassline.models.settings import BackboneSettings, CnnSettings, NetworkSettings


def _linear(*widths: int) -> int:
    return sum(before * after + after for before, after in pairwise(widths))


CONVOLUTIONS = (1 * 3 * 3 + 1) * 16 + (16 * 3 * 3 + 1) * 16
FEATURES = 16 * 28 * 28
METADATA = _linear(32, 64, 64)
PARAMETERS = {
    "mlp": _linear(112 * 112, 128, 64, 4),
    "cnn": CONVOLUTIONS + _linear(FEATURES, 128, 64, 4),
    "metadata": METADATA + _linear(64, 4),
    "ensemble_fusion": CONVOLUTIONS + _linear(FEATURES, 128) + METADATA + _linear(128 + 64, 64, 4),
    "ensemble_average": CONVOLUTIONS + _linear(FEATURES, 128, 64, 4) + METADATA + _linear(64, 4),
    "triplet": CONVOLUTIONS + _linear(FEATURES, 64) + _linear(64, 4),
    "siamese": CONVOLUTIONS + _linear(FEATURES, 64) + _linear(64, 4) + _linear(64, 1),
    # Inception V3 as it is published for 1000 classes, with a last layer for 4, without the auxiliary head.
    "transfer": 23_834_568 - _linear(2048, 1000) + _linear(2048, 4),
    "ensemble_stacking": CONVOLUTIONS + _linear(FEATURES, 128, 64, 4) + METADATA + _linear(64, 4) + _linear(8, 4),
}


def test_every_model_has_a_hand_count():
    assert set(PARAMETERS) == set(MODELS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_describe_counts_parameters_as_by_hand(name):
    assert describe(name).parameters == PARAMETERS[name]


def test_describe_counts_each_multiplication_and_addition_of_the_mlp():
    assert describe("mlp").gflop == pytest.approx(2 * (112 * 112 * 128 + 128 * 64 + 64 * 4) / 1e9)


def test_describe_counts_each_multiplication_and_addition_of_the_cnn():
    convolutions = 112 * 112 * 16 * 9 * 1 + 56 * 56 * 16 * 9 * 16
    assert describe("cnn").gflop == pytest.approx(2 * (convolutions + FEATURES * 128 + 128 * 64 + 64 * 4) / 1e9)


def test_describe_all_keeps_the_order_of_the_registry():
    described = describe_all()
    assert [one["name"] for one in described] == [*MODELS, *NETWORKS]
    assert described[0]["input_shape"] == {"patch": [1, 112, 112], "metadata": [1, 32]}


@pytest.mark.parametrize("name", MODELS)
def test_build_model_takes_other_shapes(name):
    settings = NetworkSettings(
        cnn=CnnSettings(filters=3, kernel_px=5, pool_px=4, depth=2), backbone=BackboneSettings(network="resnet18")
    )
    model = build_model(name, 32, 5, 2, settings).eval()
    assert model(torch.zeros(6, 32, 32), torch.zeros(6, 5)).shape == (6, 2)


def test_build_model_refuses_an_unknown_name_and_lists_the_known():
    with pytest.raises(SettingsError, match=r"mlp, cnn, metadata.*got 'resnet'"):
        build_model("resnet", 112, 1, 2, NetworkSettings())
