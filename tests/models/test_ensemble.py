"""Metadata standardised against loops; the three ways of joining."""

import numpy as np
import pytest
import torch

from glassline.models.ensemble import AverageEnsemble, FusionEnsemble, StackingEnsemble
from glassline.models.metadata import StandardiseMetadata
from glassline.models.settings import CnnSettings

NAN = float("nan")
COLUMNS_NM = [[1.0, NAN, 7.0, NAN], [3.0, 10.0, 7.0, NAN], [8.0, 14.0, 7.0, NAN]]


def _fitted(rows: list[list[float]]) -> StandardiseMetadata:
    standardise = StandardiseMetadata(len(rows[0]))
    standardise.fit(torch.tensor(rows))
    return standardise


def test_standardise_equals_loops_over_known_values():
    result_NM = _fitted(COLUMNS_NM)(torch.tensor(COLUMNS_NM)).numpy()
    for column in (0, 1):
        known = [row[column] for row in COLUMNS_NM if row[column] == row[column]]
        mean = sum(known) / len(known)
        deviation = (sum((value - mean) ** 2 for value in known) / len(known)) ** 0.5
        for row in range(3):
            value = COLUMNS_NM[row][column]
            expected = 0.0 if value != value else (value - mean) / deviation
            assert result_NM[row, column] == pytest.approx(expected, abs=1e-6)


def test_standardise_puts_constant_and_unknown_columns_to_zero_whatever_comes():
    result_NM = _fitted(COLUMNS_NM)(torch.tensor([[0.0, 0.0, 99.0, 5.0]]))
    assert result_NM[0, 2:].tolist() == [0.0, 0.0]


def test_standardise_takes_a_large_constant_for_constant():
    rows_NM = np.full((5000, 1), 123456.7, np.float32)
    assert _fitted(rows_NM.tolist())(torch.tensor([[123456.7], [123457.9]])).tolist() == [[0.0], [0.0]]


def test_standardise_clips_at_five_deviations():
    standardise = _fitted([[-1.0], [1.0]])
    assert standardise(torch.tensor([[100.0], [-100.0], [4.0], [torch.inf]])).flatten().tolist() == [5, -5, 4, 5]


def test_standardise_starts_as_the_identity():
    assert StandardiseMetadata(2)(torch.tensor([[0.5, -3.0]])).tolist() == [[0.5, -3.0]]


@pytest.fixture
def inputs() -> tuple[torch.Tensor, torch.Tensor]:
    """Three patches of 16 px with metadata, one value unknown."""
    generator = torch.Generator().manual_seed(0)
    metadata_BM = torch.randn(3, 4, generator=generator)
    metadata_BM[1, 2] = torch.nan
    return torch.rand(3, 16, 16, generator=generator) * 255, metadata_BM


def _softmax(logits: list[float]) -> list[float]:
    powers = [np.exp(value) for value in logits]
    return [power / sum(powers) for power in powers]


def test_average_is_the_mean_of_both_branches_probabilities(inputs):
    torch.manual_seed(1)
    model = AverageEnsemble(16, 4, 3, CnnSettings()).eval()
    image_BC, metadata_BC = (part.tolist() for part in model.opinions(*inputs))
    joined_BC = model(*inputs).softmax(1).tolist()
    for image, metadata, joined in zip(image_BC, metadata_BC, joined_BC, strict=True):
        mean = [(a + b) / 2 for a, b in zip(_softmax(image), _softmax(metadata), strict=True)]
        assert joined == pytest.approx(mean, abs=1e-6)


def test_stacking_adds_log_probabilities_before_it_is_fitted(inputs):
    torch.manual_seed(1)
    model = StackingEnsemble(16, 4, 3, CnnSettings()).eval()
    image_BC, metadata_BC = (part.tolist() for part in model.opinions(*inputs))
    for image, metadata, joined in zip(image_BC, metadata_BC, model(*inputs).tolist(), strict=True):
        added = [np.log(a) + np.log(b) for a, b in zip(_softmax(image), _softmax(metadata), strict=True)]
        assert joined == pytest.approx(added, abs=1e-5)


def test_stacking_does_not_train_its_stack_with_the_branches():
    model = StackingEnsemble(16, 4, 3, CnnSettings())
    frozen = [name for name, weight in model.named_parameters() if not weight.requires_grad]
    assert frozen == ["stack.weight", "stack.bias"]


def test_fusion_reads_both_branches(inputs):
    torch.manual_seed(1)
    model = FusionEnsemble(16, 4, 3, CnnSettings()).eval()
    patch_BHW, metadata_BM = inputs
    logits_BC = model(patch_BHW, metadata_BM)
    assert not torch.allclose(logits_BC, model(255 - patch_BHW, metadata_BM))
    assert not torch.allclose(logits_BC, model(patch_BHW, metadata_BM + 1))


@pytest.mark.parametrize(("kind", "width"), [(FusionEnsemble, 64), (AverageEnsemble, 128), (StackingEnsemble, 128)])
def test_ensemble_embeds_a_row_at_a_time_as_in_a_batch(kind, width, inputs):
    model = kind(16, 4, 3, CnnSettings()).eval()
    whole_BF = model.embed(*inputs)
    assert whole_BF.shape == (3, width)
    single_BF = torch.cat([model.embed(inputs[0][n : n + 1], inputs[1][n : n + 1]) for n in range(3)])
    torch.testing.assert_close(single_BF, whole_BF)
