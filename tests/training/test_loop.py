"""The loop: seeded, resumable, stoppable, on one process and on two."""

from pathlib import Path

import numpy as np
import pytest
import torch

from glassline.data.location import open_location
from glassline.data.store import open_store
from glassline.errors import DataError, ModelError, SettingsError
from glassline.models.registry import MODELS
from glassline.training.fitted import Fitted, predict
from glassline.training.loop import class_weights, fit_model
from glassline.training.settings import TrainingSettings

NONE_N = np.arange(0)
SMALL = {
    "cnn": {"filters": 2, "pool_px": 4}, "backbone": {"network": "timm/test_resnet.r160_in1k", "weights": "random"},
    "batch_size": 8, "epochs": 2,
}  # fmt: skip


class _KilledError(Exception):
    pass


@pytest.fixture
def fit(make_table, tmp_path):
    """Fit on 20 rows of noise: fit("cnn", seed=1, epochs=3, table=..., on_epoch=...)."""
    tables = {}

    def run(
        name="ensemble_fusion",
        seed=0,
        table=None,
        train_N=None,
        validation_N=NONE_N,
        on_epoch=None,
        store=None,
        **training,
    ) -> Fitted:
        if table is None:
            table = tables.setdefault("noise", None) or make_table(["dent", "mold"] * 10)
            tables["noise"] = table
        train_N = np.arange(len(table.rows)) if train_N is None else train_N
        settings = TrainingSettings.parse({**SMALL, **training})
        hook = on_epoch or (lambda epoch, values: None)
        return fit_model(
            name, table, train_N, validation_N, settings, seed, open_store(store or tmp_path / "checkpoints"), hook
        )

    return run


def _same(one: Fitted, other: Fitted) -> bool:
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", MODELS)
def test_fit_gives_identical_weights_for_one_seed_and_other_ones_for_another(fit, name):
    first = fit(name, seed=3)
    torch.manual_seed(99)
    assert _same(fit(name, seed=3), first)
    assert not _same(fit(name, seed=4), first)


def test_fit_calls_the_hook_after_every_epoch_with_what_the_history_keeps(fit):
    seen = []
    fitted = fit(validation_N=np.arange(6), on_epoch=lambda epoch, values: seen.append({"epoch": epoch, **values}))
    assert seen == fitted.history.to_dict("records")
    assert list(fitted.history["epoch"]) == [0, 1]
    assert set(fitted.history) == {"epoch", "train_loss", "val_loss", "val_accuracy", "val_macro_f1"}


def test_fit_returns_a_model_that_is_ready_to_predict(fit, make_table):
    fitted = fit()
    assert not fitted.model.training
    assert {weight.device.type for weight in fitted.model.parameters()} == {"cpu"}
    assert fitted.attributes == ("x_mm", "y_mm", "attr_area")
    probability_NC = predict(fitted, make_table(["dent", "mold"]), np.arange(2))
    np.testing.assert_allclose(probability_NC.sum(1), 1, atol=1e-6)


def _kill_at(epoch_to_die: int):
    def hook(epoch, values):
        if epoch == epoch_to_die:
            raise _KilledError

    return hook


@pytest.mark.parametrize("name", ["ensemble_fusion", "ensemble_stacking", "transfer"])
def test_fit_resumes_after_a_kill_as_if_unbroken(fit, name):
    unbroken = fit(name, epochs=4)
    with pytest.raises(_KilledError):
        fit(name, epochs=4, on_epoch=_kill_at(2))
    torch.manual_seed(99)
    called = []
    resumed = fit(name, epochs=4, on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [2, 3]
    assert list(resumed.history["epoch"]) == [0, 1, 2, 3]
    assert resumed.history.equals(unbroken.history)
    assert _same(resumed, unbroken)


def test_fit_resumes_with_validation_and_patience_as_if_unbroken(fit):
    rows = {"train_N": np.arange(14), "validation_N": np.arange(14, 20), "patience": 9, "epochs": 4}
    unbroken = fit(**rows)
    with pytest.raises(_KilledError):
        fit(**rows, on_epoch=_kill_at(2))
    resumed = fit(**rows)
    assert resumed.history.equals(unbroken.history)
    assert _same(resumed, unbroken)


@pytest.fixture
def ever_worse(make_table):
    """Return rows trained on one meaning of the labels and validated on the other: the first epoch is the best."""
    side = np.repeat([[-1.0] * 3, [1.0] * 3], 10, axis=0)
    table = make_table(["dent"] * 10 + ["mold"] * 10 + ["mold"] * 10 + ["dent"] * 10, np.concatenate([side, side]))
    return {"table": table, "train_N": np.arange(20), "validation_N": np.arange(20, 40), "learning_rate": 0.01}


def test_fit_resumes_on_another_machine_from_its_best_and_last_epoch(fit, ever_worse, place, elsewhere, monkeypatch):
    monkeypatch.setattr("glassline.training.trainer.SEND_EVERY_S", 0)
    rows = {**ever_worse, "patience": 9, "epochs": 4, "store": place}
    unbroken = fit(**rows)
    assert unbroken.history["val_loss"].idxmin() < 2  # before the move
    with pytest.raises(_KilledError):
        fit(**rows, on_epoch=_kill_at(2))
    elsewhere()
    seen = []
    resumed = fit(**rows, on_epoch=lambda epoch, values: seen.append(epoch))
    assert seen == [2, 3]
    assert resumed.history.equals(unbroken.history)
    assert _same(resumed, unbroken)
    assert list(open_location(place).entries()) == []


def test_fit_of_less_than_a_minute_sends_no_checkpoint(fit, s3):
    with pytest.raises(_KilledError):
        fit(on_epoch=_kill_at(1), store=s3)
    assert list(open_location(s3).entries()) == []


def _folders(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "checkpoints").iterdir()}


def test_fit_never_resumes_what_is_trained_otherwise(fit, make_table, tmp_path):
    other = make_table(["dent", "mold"] * 9 + ["mold", "dent"], name="other")
    variants = [
        {},
        {"seed": 1},
        {"table": other},
        {"learning_rate": 0.002},
        {"name": "cnn"},
        {"train_N": np.arange(12)},
    ]
    for count, variant in enumerate(variants, start=1):
        with pytest.raises(_KilledError):
            fit(**variant, on_epoch=_kill_at(1))
        assert len(_folders(tmp_path)) == count


def test_fit_leaves_no_checkpoint_behind(fit, tmp_path):
    fit(validation_N=np.arange(4), patience=1)
    assert _folders(tmp_path) == set()


def test_fit_stops_early_and_returns_the_best_epoch(fit, ever_worse):
    stopped = fit(**ever_worse, patience=2, epochs=12)
    losses = list(stopped.history["val_loss"])
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 12
    probability_NC = predict(stopped, ever_worse["table"], ever_worse["validation_N"])
    actual_N = np.repeat([1, 0], 10)
    assert -np.log(probability_NC[np.arange(20), actual_N]).mean() == pytest.approx(losses[best], rel=1e-4)


def test_fit_refuses_one_class(fit, make_table):
    with pytest.raises(DataError, match=r"at least two classes, got \['mold'\]"):
        fit(table=make_table(["mold"] * 4))


def test_fit_refuses_patience_without_validation_rows(fit):
    with pytest.raises(DataError, match="patience > 0 needs validation rows"):
        fit(patience=1)


def test_fit_refuses_patches_of_another_size(fit, make_table):
    table = make_table(["dent", "mold"], patches_NHW=np.zeros((2, 64, 64), np.uint8))
    with pytest.raises(DataError, match="patches of 112 px, got 64"):
        fit(table=table)


def test_fit_refuses_a_loss_that_leaves_the_numbers_and_keeps_no_checkpoint_of_it(fit, monkeypatch, tmp_path):
    monkeypatch.setattr("glassline.training.loop.class_weights", lambda *_: torch.tensor([torch.inf, 1.0]))
    called = []
    with pytest.raises(ModelError, match=r"train_loss must stay finite, got nan in epoch 0; lower training"):
        fit("mlp", on_epoch=lambda epoch, values: called.append(epoch))
    assert called == []
    assert _folders(tmp_path) == set()


def test_fit_keeps_a_finite_validation_loss_for_a_class_that_training_lacks(fit, make_table):
    table = make_table(["dent", "mold"] * 4 + ["fold"] * 2, classes=("dent", "mold", "fold"))
    fitted = fit(table=table, train_N=np.arange(8), validation_N=np.array([8, 9]))
    assert np.isfinite(fitted.history["val_loss"]).all()


def test_fit_learns_from_metadata_what_identical_images_cannot_tell(fit, make_table):
    side = np.repeat([[-1.0] * 3, [1.0] * 3], 16, axis=0)
    table = make_table(["dent"] * 16 + ["mold"] * 16, side, np.full((32, 112, 112), 90, np.uint8))
    settings = {"table": table, "epochs": 8, "learning_rate": 0.02}
    actual_N = np.repeat([0, 1], 16)
    fused, image_only = (predict(fit(name, **settings), table, np.arange(32)) for name in ("ensemble_fusion", "cnn"))
    assert (fused.argmax(1) == actual_N).mean() == 1.0
    assert (image_only.argmax(1) == actual_N).mean() == 0.5


@pytest.mark.parametrize("name", MODELS)
def test_fit_runs_in_half_precision_near_the_full_one(fit, name):
    half, full = (fit(name, precision=precision).history["train_loss"] for precision in ("bf16-mixed", "32-true"))
    np.testing.assert_allclose(half, full, rtol=0.05)


@pytest.mark.parametrize(("kind", "power"), [("none", 0.0), ("root", 0.5), ("balanced", 1.0)])
def test_class_weights_follow_the_frequency_and_average_one_over_rows(kind, power):
    labels = [0] * 9 + [1] * 3 + [3] * 1
    rows = np.array(labels)
    weights = class_weights(rows, rows, 4, TrainingSettings(class_weights=kind)).tolist()
    raw = {label: (1 / labels.count(label)) ** power for label in set(labels)}
    mean = sum(raw[label] for label in labels) / len(labels)
    assert weights == pytest.approx([raw[0] / mean, raw[1] / mean, 1.0, raw[3] / mean])


def test_class_weights_let_the_clean_patches_that_stay_stand_for_those_left_out():
    everything, kept = np.array([0] * 40 + [1] * 4), np.array([0] * 8 + [1] * 4)
    clean, dent = class_weights(kept, everything, 2, TrainingSettings()).tolist()
    assert clean / dent == pytest.approx(40 / 8)
    assert (8 * clean + 4 * dent) / 12 == pytest.approx(1)


def test_training_settings_divide_a_batch_over_devices():
    with pytest.raises(SettingsError, match=r"multiple of devices \(3\), got 64"):
        TrainingSettings.parse({"devices": 3})


def test_fit_on_two_processes_equals_one_with_the_same_batch(fit, tmp_path):
    one = fit("cnn", epochs=3, validation_N=np.arange(6), patience=2)
    called = []
    rows = {"validation_N": np.arange(6), "patience": 2, "epochs": 3, "devices": 2, "threads": 1}
    two = fit("cnn", **rows, on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [0, 1, 2]
    np.testing.assert_allclose(two.history.to_numpy(), one.history.to_numpy(), rtol=1e-4)
    for a, b in zip(two.model.parameters(), one.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    assert _folders(tmp_path) == set()
