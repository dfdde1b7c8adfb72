"""The benchmark as a user runs it: entries measured side by side, told beside what is published, and only once."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.bench.record import read_records

Glassline = Callable[..., object]


@pytest.fixture(scope="module")
def benched(glassline: Glassline, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object]]:
    out = tmp_path_factory.mktemp("bench") / "out"
    words = ["bench", "--entry", "a-table-3", "--entry", "c-eq-1", "--out", out]
    return out, [glassline(*words), glassline(*words)]


def test_bench_prints_published_and_ours(benched: tuple[Path, list[object]]) -> None:
    told = benched[1][0]
    assert told.returncode == 0, told.stderr + told.stdout
    assert "0.9739" in told.stdout
    assert "0.973905" in told.stdout


def test_bench_leaves_a_result_per_entry(benched: tuple[Path, list[object]]) -> None:
    assert [one.name for one in read_records([benched[0] / "results"])] == ["a-table-3", "c-eq-1"]


def test_bench_given_again_measures_nothing_again(benched: tuple[Path, list[object]]) -> None:
    out, (_, again) = benched
    assert again.returncode == 0, again.stderr
    assert len(list((out / "store" / "bench").iterdir())) == 2


def test_bench_leaves_a_child_run_per_entry(benched: tuple[Path, list[object]]) -> None:
    with sqlite3.connect(benched[0] / "mlflow.db") as database:
        names = {row[0] for row in database.execute("select name from runs")}
    assert {"run_benchmark (a-table-3)", "run_benchmark (c-eq-1)", "write_results"} <= names
