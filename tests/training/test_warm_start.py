"""A fit that starts from another's weights: what is taken, what is not, and that it is repeatable."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.data.store import open_store
from glassline.errors import ModelError
from glassline.models.registry import build_model
from glassline.training.fitted import Fitted
from glassline.training.loop import fit_model
from glassline.training.saved_network import weights_hash
from glassline.training.settings import TrainingSettings
from glassline.training.warm_start import WarmStart, take_weights

SETTINGS = TrainingSettings.parse({
    "cnn": {"filters": 2, "pool_px": 4}, "embedding": {"width": 4}, "batch_size": 8, "epochs": 1, "threads": 1,
    "backbone": {"network": "timm/test_resnet.r160_in1k", "weights": "random"},
})  # fmt: skip
OLD, NEW = ("dent", "mold", "ring"), ("fold", "mold", "dent")
OLD_COLUMNS, NEW_COLUMNS = ("x_mm", "y_mm", "attr_area"), ("attr_area", "attr_long", "x_mm", "y_mm")


def _start(name, classes=OLD, columns=OLD_COLUMNS, settings=SETTINGS) -> WarmStart:
    model = build_model(name, 112, len(columns), len(classes), settings)
    return WarmStart("version 3", Fitted(name, model, classes, "", columns, settings, pd.DataFrame()))


def _taken(name, start, classes=NEW, columns=NEW_COLUMNS, settings=SETTINGS):
    model = build_model(name, 112, len(columns), len(classes), settings)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    told = take_weights(model, name, classes, columns, settings, start)
    return before, model.state_dict(), start.fitted.model.state_dict(), told


def test_rows_of_the_last_layer_are_taken_by_class():
    before, after, old, told = _taken("cnn", _start("cnn"))
    assert torch.equal(after["image.pairs.0.weight"], old["image.pairs.0.weight"])
    assert torch.equal(after["head.4.weight"][[1, 2]], old["head.4.weight"][[1, 0]])
    assert torch.equal(after["head.4.weight"][0], before["head.4.weight"][0])
    assert "new class fold; without class ring" in told


def test_columns_of_metadata_are_taken_by_name():
    before, after, old, told = _taken("ensemble_fusion", _start("ensemble_fusion"))
    key = "metadata.layers.0.weight"
    assert torch.equal(after[key][:, [0, 2, 3]], old[key][:, [2, 0, 1]])
    assert torch.equal(after[key][:, 1], before[key][:, 1])
    assert "new column attr_long" in told


def test_classes_of_both_heads_of_an_ensemble_are_taken_and_its_stack_is_not():
    before, after, old, _ = _taken("ensemble_stacking", _start("ensemble_stacking"))
    for key in ("image_head.4.bias", "metadata_head.bias"):
        assert torch.equal(after[key][[1, 2]], old[key][[1, 0]])
    assert torch.equal(after["stack.weight"], before["stack.weight"])


def test_what_a_fit_measures_anew_is_not_taken():
    start = _start("triplet")
    start.fitted.model.refer(torch.ones(9, 4), torch.zeros(9, dtype=torch.long))
    before, after, old, _ = _taken("triplet", start)
    assert torch.equal(after["reference_RE"], before["reference_RE"])
    assert torch.equal(after["latent.weight"], old["latent.weight"])


def test_statistics_of_batch_normalisation_are_taken():
    start = _start("transfer", columns=())
    for name, value in start.fitted.model.named_buffers():
        if name.endswith("running_mean"):
            value.fill_(3.0)
    _, after, _, _ = _taken("transfer", start, columns=())
    assert all((value == 3).all() for key, value in after.items() if key.endswith("running_mean"))


def test_a_weight_of_another_shape_stays_as_it_is_and_is_told():
    wider = SETTINGS.model_copy(update={"cnn": SETTINGS.cnn.model_copy(update={"filters": 3})})
    before, after, old, told = _taken("cnn", _start("cnn"), settings=wider)
    assert torch.equal(after["image.pairs.0.weight"], before["image.pairs.0.weight"])
    assert torch.equal(after["head.2.weight"], old["head.2.weight"])
    assert "of another shape image.pairs.0.weight" in told


def test_a_start_without_a_weight_in_common_is_refused():
    with pytest.raises(ModelError, match="cnn must share weights with what it starts from, got none in version 3"):
        _taken("cnn", _start("metadata"))


@pytest.fixture
def fit(make_table, tmp_path):
    """Fit on 16 rows of noise in a store of its own: fit("cnn", "a", start=...)."""
    table = make_table(["dent", "mold"] * 8)

    def run(name, store, start=None, on_epoch=lambda epoch, values: None, settings=SETTINGS):
        rows_N = np.arange(16)
        return fit_model(
            name, table, rows_N, rows_N[:0], settings, 0, open_store(tmp_path / store), on_epoch, start=start
        )

    return run


@pytest.mark.parametrize("name", ["cnn", "ensemble_fusion", "triplet"])
@pytest.mark.parametrize("warm", [False, True], ids=["scratch", "champion"])
def test_a_fit_gives_the_same_weights_again(name, warm, fit):
    start = WarmStart("version 1", fit(name, "older")) if warm else None
    one, other = fit(name, "one", start), fit(name, "other", start)
    assert weights_hash(one.model) == weights_hash(other.model)


def test_a_fit_tells_its_start_and_starts_there(fit):
    start = WarmStart("version 1", replace(fit("cnn", "older"), sources=("P7",)))
    slow = SETTINGS.model_copy(update={"learning_rate": 1e-12, "weight_decay": 0.0})
    fitted = fit("cnn", "one", start, settings=slow)
    assert (fitted.start, fitted.sources) == ("version 1: 10 of 10 tensors of cnn", ("P7",))
    for key, value in start.fitted.model.state_dict().items():
        torch.testing.assert_close(fitted.model.state_dict()[key], value, atol=1e-6, rtol=0)


def test_a_fit_of_other_starting_weights_does_not_resume_from_this_one(fit):
    start = WarmStart("version 1", fit("cnn", "older"))
    longer = SETTINGS.model_copy(update={"epochs": 2})

    def kill(epoch, values):
        if epoch == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit("cnn", "one", start, kill, longer)
    begun = []
    fit("cnn", "one", None, lambda epoch, values: begun.append(epoch), longer)
    assert begun == [0, 1]
