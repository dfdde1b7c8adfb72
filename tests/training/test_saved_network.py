"""A folder of a network: whole, or refused by name."""

import pandas as pd
import pytest
import torch
from torch import nn

from glassline.errors import ModelError
from glassline.training.saved_network import read_network, save_network


@pytest.fixture
def folder(tmp_path):
    save_network(tmp_path / "model", nn.Linear(3, 2), {"name": "one"}, pd.DataFrame({"epoch": [0]}))
    return tmp_path / "model"


def test_a_network_comes_back_in_evaluation_mode(folder):
    saved = read_network(folder, "train_one")
    model = saved.restore(nn.Linear(3, 2))
    assert not model.training
    assert (model(torch.zeros(1, 3)) == model.bias).all()
    assert (saved.about, saved.history["epoch"].tolist()) == ({"name": "one"}, [0])


@pytest.mark.parametrize("name", ["model.safetensors", "model.json", "history.csv"])
def test_a_missing_file_is_named_with_the_step_that_writes_it(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"missing: \['{name}'\]; run train_one again"):
        read_network(folder, "train_one")


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_file_cut_short_is_refused(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=r"must hold a whole network, got a broken file .* run train_one again"):
        read_network(folder, "train_one")


def test_weights_of_another_network_are_refused(folder):
    with pytest.raises(ModelError, match="must hold the weights of the network that it names"):
        read_network(folder, "train_one").restore(nn.Linear(4, 2))
