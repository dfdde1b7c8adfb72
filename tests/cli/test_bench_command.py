"""`glassline bench` lists, measures and writes; what a user can mend is one line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.bench.record import Record, read_record

Glassline = Callable[..., object]


def test_bench_lists_every_table_with_what_measures_it(glassline: Glassline) -> None:
    told = glassline("bench", "--list", COLUMNS="300")
    assert "c-table-1" in told.stdout
    assert "python benchmarks/scratch_table.py" in told.stdout
    assert "classifiers:by_model" in told.stdout


def test_bench_without_out_tells_what_to_name(glassline: Glassline) -> None:
    told = glassline("bench", "--entry", "a-table-3")
    assert told.returncode == 1
    assert told.stderr.startswith("error: bench must be told where results go, got no --out")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--entry", "a-table-77"], "--entry must be one of a-fig-1"),
        (["--system", "Q"], "--system must be one of A, B, C, D, E, got 'Q'"),
        (["--entry", "c-table-1"], "run `python benchmarks/scratch_table.py"),
        (["--preset", "huge"], "--preset must be one of smoke, demo, full, got 'huge'"),
    ],
)
def test_bench_refuses_in_one_line(glassline: Glassline, tmp_path: Path, words: list[str], message: str) -> None:
    told = glassline("bench", *words, "--out", tmp_path / "out")
    assert told.returncode == 1
    assert message in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_bench_writes_a_page_and_keeps_its_results_beside_it(glassline: Glassline, tmp_path: Path) -> None:
    record = Record(
        name="a-fig-2", title="Fig. 2", system="A", command="glassline bench", data="line-scan", protocol="pooled",
        machine="2 CPU cores", code="0" * 64, values={"a-fig-2": {"CNN minus MLP": 0.05}},
    )  # fmt: skip
    record.write(tmp_path / "run")
    told = glassline("bench", "--write", tmp_path / "page.md", "--from", tmp_path / "run")
    assert told.returncode == 0, told.stderr
    assert "| CNN minus MLP | 0.1 | 0.05 |" in (tmp_path / "page.md").read_text()
    assert read_record(tmp_path / "page" / "a-fig-2.json") == record
    assert told.stderr.startswith("warning: 1 of 1 results that tell their code are of other code than this: a-fig-2;")
