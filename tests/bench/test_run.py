"""What is measured once is measured again where it would be another figure."""

from pathlib import Path

import pytest

from glassline.bench import run
from glassline.bench.entry import Entry
from glassline.bench.measured import Bench, Measured
from glassline.bench.run import run_entry


def entry(timed: bool) -> Entry:
    return Entry.parse({
        "id": "e-one", "item": "One", "quantity": "ms", "obtained": "noise", "protocol": "once",
        "measure": "speed:detector_batches", "timed": timed,
    })  # fmt: skip


@pytest.fixture
def measured_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Machines that something was measured on."""
    machines: list[str] = []

    def measure(bench: Bench) -> Measured:
        machines.append(run.machine())
        return Measured({"ms": float(len(machines))})

    monkeypatch.setattr(run, "measuring", lambda one: measure)
    return machines


@pytest.mark.parametrize(("timed", "times"), [(True, 2), (False, 1)])
def test_times_are_measured_on_every_machine(
    measured_on: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, timed: bool, times: int
) -> None:
    for name in ("2 CPU cores, no GPU", "16 CPU cores, H100", "2 CPU cores, no GPU"):
        monkeypatch.setattr(run, "machine", lambda name=name: name)
        run_entry(entry(timed), [], "", "smoke", 0, str(tmp_path / "store"), 1)
    assert len(measured_on) == times
