"""A base from sources, fine-tuned on a target: seeded, resumable, written and read."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from glassline.data.sources import sources_of
from glassline.data.store import open_store
from glassline.errors import DataError, SettingsError
from glassline.models.backbone import TransferNetwork
from glassline.training.fitted import Fitted, embed, load_fitted, predict, save_fitted
from glassline.training.settings import TransferSettings
from glassline.training.transfer import (
    FittedBase,
    features,
    fine_tune,
    fit_base,
    kept_base,
    load_base,
    save_base,
    starting_base,
)

TINY = {"network": "timm/test_resnet.r160_in1k", "weights": "random"}
FAST = {"backbone": TINY, "base_epochs": 2, "epochs": 2, "batch_size": 8, "threads": 1}
NONE_N = np.arange(0)


class _KilledError(Exception):
    pass


def _settings(**changes: object) -> TransferSettings:
    return TransferSettings.parse({**FAST, **changes})


def _stripes(labels: list[str], contrast: int, seed: int) -> np.ndarray:
    """Return noisy patches with stripes: fine for dent, coarse for mold."""
    generator, across = np.random.default_rng(seed), np.arange(112)
    patches = []
    for label in labels:
        phase = generator.uniform(0, 6.28)
        wave = contrast * np.sin(across * (1.4 if label == "dent" else 0.4) + phase)
        patches.append(128 + wave[None] + generator.normal(0, 20, (112, 112)))
    return np.clip(patches, 0, 255).astype(np.uint8)


@pytest.fixture
def table(make_table):
    """A table of stripes: table(rows=20, product="P1")."""

    def make(rows: int = 20, product: str = "P1", contrast: int = 40, seed: int = 0):
        labels = ["dent", "mold"] * (rows // 2)
        patches_NHW = _stripes(labels, contrast, seed)
        return make_table(labels, patches_NHW=patches_NHW, name=f"{product}-{rows}", product=[product] * rows)

    return make


@pytest.fixture
def base_of(tmp_path):
    """Retrain a base: base_of([table], seed=1, on_epoch=...)."""

    def fit(tables, seed=0, on_epoch=None, by="class", **changes) -> FittedBase:
        hook = on_epoch or (lambda epoch, values: None)
        return fit_base(sources_of(tables, by), _settings(**changes), seed, open_store(tmp_path / "checkpoints"), hook)

    return fit


@pytest.fixture
def tuned(tmp_path):
    """Fine-tune: tuned(base, table, train_N=..., on_epoch=...)."""

    def fit(base, table, train_N=None, validation_N=NONE_N, seed=0, on_epoch=None, **changes):
        train_N = np.arange(len(table.rows)) if train_N is None else train_N
        hook = on_epoch or (lambda epoch, values: None)
        return fine_tune(
            base, table, train_N, validation_N, _settings(**changes), seed, open_store(tmp_path / "checkpoints"), hook
        )

    return fit


def _same(one: nn.Module, other: nn.Module) -> bool:
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def _fitted(model: TransferNetwork) -> Fitted:
    return Fitted("transfer", model, ("dent", "mold"), "", (), _settings().of_target, pd.DataFrame())


def _die_at(epoch_to_die: int):
    def hook(epoch, values):
        if epoch == epoch_to_die:
            raise _KilledError

    return hook


def test_a_starting_base_has_no_classes_and_depends_on_its_seed():
    first, again, other = (starting_base(_settings(), seed) for seed in (1, 1, 2))
    assert (first.classes, first.sources, first.weights) == ((), (), "random")
    assert _same(first.model, again.model)
    assert not _same(first.model, other.model)
    assert not first.model.training


def test_a_base_tells_the_sources_apart_and_says_what_it_learnt_from(base_of, table):
    tables = [table(), table(8, "P2")]
    base = base_of(tables)
    assert base.classes == base.sources == ("P1/dent", "P1/mold", "P2/dent", "P2/mold")
    assert base.weights == "random"
    assert list(base.history["epoch"]) == [0, 1]
    assert not base.model.training
    features_NF = features(base, tables[0], np.arange(5))
    assert features_NF.shape == (5, 96)
    assert features_NF.dtype == np.float32
    whole = base_of(tables, by="table")
    assert (whole.sources, whole.classes) == (("P1", "P2"), base.classes)


def test_a_base_of_one_class_is_refused(table, tmp_path):
    with pytest.raises(DataError, match="at least two classes"):
        fit_base(sources_of([table()])[:1], _settings(), 0, open_store(tmp_path), lambda epoch, values: None)


def test_a_base_resumes_after_a_kill_as_if_unbroken_and_leaves_nothing_behind(base_of, table, tmp_path):
    tables = [table()]
    unbroken = base_of(tables, base_epochs=4)
    with pytest.raises(_KilledError):
        base_of(tables, base_epochs=4, on_epoch=_die_at(2))
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    torch.manual_seed(99)
    called = []
    resumed = base_of(tables, base_epochs=4, on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [2, 3]
    assert _same(resumed.model, unbroken.model)
    assert resumed.history.equals(unbroken.history)
    assert not list((tmp_path / "checkpoints").iterdir())


def test_a_finished_base_is_kept_for_the_next_step_of_the_same_sources(base_of, table, place, elsewhere):
    def kept(seed=0):
        called = []
        sources = sources_of([table()])
        base = kept_base(sources, _settings(), seed, open_store(place), lambda epoch, values: called.append(epoch))
        return base, called

    first, trained = kept()
    elsewhere()
    again, nothing = kept()
    assert trained
    assert not nothing
    assert _same(first.model, again.model)
    assert _same(first.model, base_of([table()]).model)
    assert (again.classes, again.sources, again.weights) == (first.classes, first.sources, first.weights)
    assert kept(seed=1)[1] == trained


def test_a_fit_never_resumes_what_starts_or_learns_otherwise(base_of, tuned, table, tmp_path):
    mine, other = table(), table(8, "P2")
    for count, variant in enumerate(({}, {"seed": 1}, {"momentum": 0.5}, {"tables": [mine, other]}), start=1):
        with pytest.raises(_KilledError):
            base_of(**{"tables": [mine], **variant}, on_epoch=_die_at(1))
        assert len(list((tmp_path / "checkpoints").iterdir())) == count
    for more, base in enumerate((None, base_of([other]), base_of([other], seed=1)), start=1):
        with pytest.raises(_KilledError):
            tuned(base, mine, on_epoch=_die_at(1))
        assert len(list((tmp_path / "checkpoints").iterdir())) == count + more


def test_fine_tuning_moves_every_layer_and_keeps_the_base_as_it_was(base_of, tuned, table):
    target, base = table(), base_of([table(8, "P2")])
    before = {name: value.clone() for name, value in base.model.state_dict().items()}
    fitted = tuned(base, target)
    assert all(torch.equal(before[name], value) for name, value in base.model.state_dict().items())
    assert fitted.model.last.out_features == len(target.classes)
    still = [
        name for name, value in fitted.model.image.named_parameters() if torch.equal(before[f"image.{name}"], value)
    ]
    assert still == []
    assert (fitted.name, fitted.attributes, fitted.start) == ("transfer", (), "random")
    assert fitted.sources == ("P2/dent", "P2/mold")
    assert fitted.settings.sgd.momentum == 0.9


def test_fine_tuning_resumes_after_a_kill_as_if_unbroken(base_of, tuned, table):
    target, base = table(), base_of([table(8, "P2")])
    unbroken = tuned(base, target, epochs=4)
    with pytest.raises(_KilledError):
        tuned(base, target, epochs=4, on_epoch=_die_at(2))
    torch.manual_seed(99)
    called = []
    resumed = tuned(base, target, epochs=4, on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [2, 3]
    assert _same(resumed.model, unbroken.model)


def test_without_a_base_fine_tuning_starts_from_the_weights_that_are_named(tuned, table, tmp_path):
    start = starting_base(_settings(), 7)
    path = tmp_path / "start.safetensors"
    save_file(start.model.image.network.state_dict(), path)
    still = {"learning_rate": 1e-9, "backbone": {**TINY, "weights": str(path)}}
    fitted = tuned(None, table(), **still)
    assert fitted.start.startswith("file start.safetensors sha256 ")
    convolution = [one.image.network.layer1[0].conv1.weight for one in (fitted.model, start.model)]
    torch.testing.assert_close(*convolution, atol=1e-6, rtol=0)


def test_a_base_and_a_fitted_model_are_the_same_after_writing_and_reading(base_of, tuned, table, tmp_path):
    target, base = table(), base_of([table(8, "P2")])
    rows_N = np.arange(6)
    for number, one in enumerate((base, starting_base(_settings()))):
        save_base(one, tmp_path / f"base{number}")
        loaded = load_base(tmp_path / f"base{number}")
        told = ("classes", "sources", "weights", "backbone")
        assert [getattr(loaded, name) for name in told] == [getattr(one, name) for name in told]
        np.testing.assert_allclose(features(loaded, target, rows_N), features(one, target, rows_N), atol=1e-5)
        assert loaded.weights_hash() == one.weights_hash()
    pd.testing.assert_frame_equal(load_base(tmp_path / "base0").history, base.history)
    fitted = tuned(base, target, validation_N=np.arange(4))
    save_fitted(fitted, tmp_path / "model")
    loaded = load_fitted(tmp_path / "model")
    assert (loaded.start, loaded.sources) == (fitted.start, fitted.sources)
    assert set(fitted.history) == {"epoch", "train_loss", "val_loss", "val_accuracy", "val_macro_f1"}
    np.testing.assert_allclose(predict(loaded, target, rows_N), predict(fitted, target, rows_N), atol=1e-6)
    assert embed(loaded, target, rows_N).shape == (6, 96)


def test_statistics_of_normalisation_are_those_of_the_weights_as_they_are_after_a_short_fit(base_of, tuned, table):
    target = table(8)
    for model in (tuned(None, target).model, base_of([target]).model):
        norm = next(part for part in model.modules() if isinstance(part, nn.BatchNorm2d))
        seen = []
        norm.register_forward_pre_hook(lambda module, given, seen=seen: seen.append(given[0]))
        predict(_fitted(model), target, np.arange(8))
        torch.testing.assert_close(norm.running_mean, seen[0].mean((0, 2, 3)), atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(norm.running_var, seen[0].var((0, 2, 3)), atol=1e-4, rtol=1e-3)


def test_the_validation_loss_is_that_of_the_model_that_is_returned(tuned, table):
    target = table(20)
    fitted = tuned(None, target, np.arange(12), np.arange(12, 20), epochs=1)
    probability_NC = predict(fitted, target, np.arange(12, 20))
    loss = -np.log(probability_NC[np.arange(8), [0, 1] * 4]).mean()
    assert fitted.history["val_loss"].iloc[-1] == pytest.approx(loss, rel=1e-3)


def test_what_few_samples_teach_grows_by_a_source_that_shows_the_same(base_of, tuned, table):
    source, target = table(96, "P2", contrast=40, seed=1), table(64, "P1", contrast=25, seed=2)
    few_N, rest_N, settings = np.arange(6), np.arange(6, 64), {"epochs": 4, "learning_rate": 0.01}
    base = base_of([source], base_epochs=8, learning_rate=0.03)
    actual_N = np.array([0, 1] * 32)[rest_N]
    told, alone = (
        (predict(tuned(start, target, few_N, **settings), target, rest_N).argmax(1) == actual_N).mean()
        for start in (base, None)
    )
    assert told > 0.9
    assert told > alone + 0.1


def test_an_unknown_network_is_refused():
    with pytest.raises(SettingsError, match="did you mean inception_v3"):
        starting_base(_settings(backbone={"network": "inception-v3", "weights": "random"}))
