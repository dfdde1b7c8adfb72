"""Statistics of batch normalisation are those of the weights as they are."""

import pytest
import torch
from torch import nn

from glassline.training.batch_statistics import settle_statistics


def test_statistics_become_the_mean_over_the_batches():
    model = nn.BatchNorm1d(2).eval()
    batches = [torch.randn(16, 2, generator=torch.Generator().manual_seed(seed)) + 5 for seed in range(3)]
    settle_statistics(model, batches)
    expected = sum(batch.mean(0) for batch in batches) / 3
    assert torch.allclose(model.running_mean, expected)
    assert torch.allclose(model.running_var, sum(batch.var(0) for batch in batches) / 3)


@pytest.mark.parametrize("training", [False, True])
def test_model_stays_in_its_mode_with_its_momentum_and_weights(training):
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, momentum=0.3)).train(training)
    before = model[0].weight.clone()
    settle_statistics(model, [torch.randn(4, 2)])
    assert model.training is model[1].training is training
    assert model[1].momentum == 0.3
    assert torch.equal(model[0].weight, before)


def test_model_without_normalisation_stays_as_it_is():
    model = nn.Linear(2, 2)
    settle_statistics(model, [torch.zeros(3, 2)])
    assert set(model.state_dict()) == {"weight", "bias"}
