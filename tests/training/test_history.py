"""The record of a fit, and the hook that other processes call."""

import threading
from types import SimpleNamespace

import pytest
import torch

from glassline.errors import ModelError
from glassline.training.history import History, relayed


def _end_epoch(history: History, epoch: int, loss: float) -> SimpleNamespace:
    trainer = SimpleNamespace(
        callback_metrics={"train_loss": torch.tensor(loss)}, current_epoch=epoch, is_global_zero=True, should_stop=False
    )
    history.on_train_epoch_end(trainer, None)
    return trainer


def test_history_continues_what_a_checkpoint_kept(tmp_path):
    first, second = History(lambda epoch, values: None), History(lambda epoch, values: None)
    _end_epoch(first, 0, 0.5)
    torch.save({"callbacks": {first.state_key: first.state_dict()}}, tmp_path / "last.ckpt")
    second.recover(tmp_path / "last.ckpt")
    _end_epoch(second, 1, 0.25)
    assert second.records == [{"epoch": 0, "train_loss": 0.5}, {"epoch": 1, "train_loss": 0.25}]


@pytest.mark.parametrize("loss", [float("inf"), float("nan")])
def test_history_stops_a_fit_whose_loss_is_no_number_and_refuses_it(loss):
    called = []
    history = History(lambda epoch, values: called.append(epoch))
    assert not _end_epoch(history, 0, 0.5).should_stop
    history.check()
    assert _end_epoch(history, 1, loss).should_stop
    assert called == [0]
    with pytest.raises(ModelError, match=f"got {loss} in epoch 1; lower training.learning_rate"):
        history.check()


def test_relayed_calls_the_hook_for_everything_that_was_sent():
    seen, before = [], set(threading.enumerate())
    with relayed(lambda epoch, values: seen.append((epoch, values))) as send:
        for epoch in range(3):
            send(epoch, {"train_loss": epoch / 2})
    assert seen == [(0, {"train_loss": 0.0}), (1, {"train_loss": 0.5}), (2, {"train_loss": 1.0})]
    assert set(threading.enumerate()) <= before


def test_relayed_raises_what_the_hook_raised_and_goes_on_until_then():
    seen = []

    def hook(epoch: int, values: dict[str, float]) -> None:
        seen.append(epoch)
        if epoch == 0:
            raise ValueError("no server")

    def fit() -> None:
        with relayed(hook) as send:
            send(0, {})
            send(1, {})

    with pytest.raises(ValueError, match="no server"):
        fit()
    assert seen == [0, 1]


def test_relayed_lets_the_fit_s_own_error_through():
    with pytest.raises(KeyError, match="of the fit"), relayed(lambda epoch, values: None):
        raise KeyError("of the fit")
