"""Augmented batches, even weights, SGD."""

from itertools import product

import numpy as np
import pytest
import torch

from glassline.models.backbone import TransferNetwork
from glassline.training.data import PatchDataset
from glassline.training.settings import TrainingSettings
from glassline.training.transfer_task import TransferTask, augmented


def test_augmentation_turns_and_flips_into_all_eight_positions_and_changes_light():
    torch.manual_seed(0)
    patch_HW = torch.zeros(112, 112)
    patch_HW[10:30, 20:90] = 60  # an oblong off every axis
    patch_HW += 100
    given_BHW = patch_HW.expand(200, 112, 112)
    found_BHW = augmented(given_BHW.clone())
    assert found_BHW.shape == given_BHW.shape
    marks = {tuple(map(int, torch.nonzero(one > one.mean() + 10).flatten()[[0, 1, -2, -1]])) for one in found_BHW}
    expected = set()
    for flip_v, flip_h, transposed in product((0, 1), repeat=3):
        rows, columns = ((10, 29), (82, 101))[flip_v], ((20, 89), (22, 91))[flip_h]
        first, second = (columns, rows) if transposed else (rows, columns)
        expected.add((first[0], second[0], first[1], second[1]))
    assert marks == expected
    contrast_B = found_BHW.amax(dim=(1, 2)) - found_BHW.amin(dim=(1, 2))
    assert 60 * 0.8 <= contrast_B.min() < 55
    assert 65 < contrast_B.max() <= 60 * 1.2 + 1e-3
    assert found_BHW.mean(dim=(1, 2)).std() > 5


def test_augmentation_stays_in_the_range_of_grey_levels():
    torch.manual_seed(0)
    found_BHW = augmented(torch.rand(50, 112, 112).round() * 255)
    assert (found_BHW.min(), found_BHW.max()) == (0, 255)


@pytest.fixture
def task(make_table) -> TransferTask:
    settings = TrainingSettings.parse(
        {"backbone": {"network": "timm/test_resnet.r160_in1k"}, "sgd": {"learning_rate": 0.05, "momentum": 0.8}}
    )
    labels, weight_C = ["dent"] * 90 + ["mold"] * 10, torch.tensor([0.5, 5.5, 1.0])
    table = make_table(labels, patches_NHW=np.zeros((100, 112, 112), np.uint8), classes=("dent", "mold", "free"))
    rows = PatchDataset(table, np.arange(100), ())
    return TransferTask(TransferNetwork(3, settings.backbone), weight_C, rows, settings, 10, 0)


def test_in_even_batches_classes_weigh_together_what_they_weigh_in_rows_as_they_are(task):
    in_rows, in_even = 90 * 0.5, 50 * float(task.even_weight_C[0])
    assert in_even / (50 * float(task.even_weight_C[1])) == pytest.approx(in_rows / (10 * 5.5))
    assert (50 * task.even_weight_C[:2]).sum() == pytest.approx(100)


def test_it_descends_by_sgd_with_the_momentum_that_is_told(task):
    made = task.configure_optimizers()
    (group,) = made["optimizer"].param_groups
    assert isinstance(made["optimizer"], torch.optim.SGD)
    assert sum(one.numel() for one in group["params"]) == sum(one.numel() for one in task.model.parameters())
    seen = []
    for _ in range(10):
        seen.append((group["lr"], group["momentum"]))
        made["optimizer"].step()
        made["lr_scheduler"]["scheduler"].step()
    assert max(rate for rate, _ in seen) == pytest.approx(0.05, rel=0.05)
    assert {momentum for _, momentum in seen} == {0.8}
