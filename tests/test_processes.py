"""Processes of torchrun: they agree before they fit, and one tells why they failed."""

from datetime import timedelta

import pytest
from torch.distributed import HashStore

from glassline.errors import SettingsError
from glassline.processes import agree, is_first, tells_failure, torchrun


@pytest.fixture
def become(monkeypatch):
    """Become one of two processes: become(1)."""
    store = HashStore()
    monkeypatch.setattr("glassline.processes._store", lambda: store)
    monkeypatch.setattr("glassline.processes._GRACE", timedelta(milliseconds=10))

    def rank(number: int) -> None:
        told = {"TORCHELASTIC_RUN_ID": "x", "RANK": number, "GROUP_WORLD_SIZE": 2, "LOCAL_WORLD_SIZE": 1}
        for name, value in {**told, "WORLD_SIZE": 2}.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setattr("glassline.processes._agreements", iter([0]))

    return rank


def test_a_process_that_torchrun_did_not_start_is_alone(monkeypatch):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert torchrun() is None
    assert is_first()
    assert tells_failure()


def test_processes_that_find_the_same_agree(become):
    for number in (0, 1):
        become(number)
        agree("fit 1, begun: True", "share the store")


def test_a_process_that_does_not_see_the_checkpoints_is_refused(become):
    become(0)
    agree("fit 1, begun: True", "share the store")
    become(1)
    with pytest.raises(SettingsError, match=r"begun: True in the first and .* False in number 1; share the store"):
        agree("fit 1, begun: False", "share the store")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_failure_is_told_once_whoever_meets_it_first(become, order):
    told = []
    for number in order:
        become(number)
        told.append(tells_failure())
    assert told == [True, False]
