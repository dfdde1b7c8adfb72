"""What processes share: rows of a batch, weighted means, the number of devices."""

import pytest
import torch
from torch.utils.data import BatchSampler, DataLoader

from glassline.errors import SettingsError
from glassline.training.data import EpochShuffle
from glassline.training.settings import SegmentationSettings, TrainingSettings
from glassline.training.sharing import Share, of_whole_batch, shared, whole_batch, with_processes


def _shares(length: int, batch: int, processes: int, monkeypatch) -> list[list[list[int]]]:
    """Return the batches of every process."""
    shares = []
    for rank in range(processes):
        monkeypatch.setattr("glassline.training.sharing.process", lambda rank=rank: (rank, processes))
        shares.append(list(Share(BatchSampler(EpochShuffle(length, 3), batch, drop_last=False))))
    return shares


@pytest.mark.parametrize("length", [12, 13, 17, 1])
def test_shares_are_together_the_batches_of_one_process(length, monkeypatch):
    whole = list(BatchSampler(EpochShuffle(length, 3), 6, drop_last=False))
    shares = _shares(length, 6, 3, monkeypatch)
    assert {len(share) for share in shares} == {len(whole)}
    for batch, *parts in zip(whole, *shares, strict=True):
        joined = [row for place in zip(*parts, strict=True) for row in place]
        assert joined[: len(batch)] == batch
        assert joined[len(batch) :] == (batch * 3)[: len(joined) - len(batch)]


def test_shares_follow_the_epoch(monkeypatch):
    loader = shared(DataLoader(range(8), 4, sampler=EpochShuffle(8, 0)))
    first = list(loader.batch_sampler)
    loader.batch_sampler.sampler.set_epoch(1)
    assert list(loader.batch_sampler) != first


def test_one_process_has_the_whole_batch_and_its_mean():
    rows_B = torch.arange(3)
    assert whole_batch(rows_B) is rows_B
    assert of_whole_batch(torch.tensor(2.0), torch.tensor(0.3)) == 2


def _torchrun(monkeypatch, nodes: int, per_node: int, world: int) -> None:
    told = {"TORCHELASTIC_RUN_ID": "x", "RANK": 0, "GROUP_WORLD_SIZE": nodes, "LOCAL_WORLD_SIZE": per_node}
    for name, value in {**told, "WORLD_SIZE": world}.items():
        monkeypatch.setenv(name, str(value))


def test_devices_are_what_torchrun_started_on_all_nodes(monkeypatch):
    assert with_processes(TrainingSettings()).devices == 1
    _torchrun(monkeypatch, nodes=2, per_node=4, world=8)
    assert with_processes(SegmentationSettings()).devices == 8
    assert with_processes(TrainingSettings(devices=8)).devices == 8


def test_devices_that_contradict_torchrun_are_refused(monkeypatch):
    _torchrun(monkeypatch, nodes=1, per_node=2, world=2)
    with pytest.raises(SettingsError, match="devices must be what torchrun started, 2, got 4; leave devices out"):
        with_processes(TrainingSettings(devices=4))
    with pytest.raises(SettingsError, match=r"multiple of devices \(2\), got 9"):
        with_processes(TrainingSettings(batch_size=9))


def test_nodes_with_different_numbers_of_processes_are_refused(monkeypatch):
    _torchrun(monkeypatch, nodes=2, per_node=2, world=3)
    with pytest.raises(SettingsError, match="every node must start as many processes, got 3 on 2 nodes"):
        with_processes(TrainingSettings())
