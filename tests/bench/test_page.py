"""The page of results is what the files beside it give, and no figure of theirs is left out."""

from pathlib import Path

import pytest

from glassline.bench.catalogue import catalogue
from glassline.bench.code import library_code, measures_code, of_other_code
from glassline.bench.page import compared, results_page
from glassline.bench.record import Block, Record, read_record, read_records
from glassline.errors import DataError

DOCS = Path(__file__).resolve().parents[2] / "docs"


def record(**changes: object) -> Record:
    told = {
        "name": "one", "title": "One", "system": "A", "command": "do it", "data": "line-scan", "protocol": "pooled",
        "machine": "2 CPU cores, no GPU",
    }  # fmt: skip
    return Record.model_validate({**told, **changes})


def test_results_page_is_current() -> None:
    written = (DOCS / "results.md").read_text()
    assert written == results_page(read_records([DOCS / "results"])), "run `glassline bench --write docs/results.md`"


def test_results_belong_to_entries_of_the_catalogue() -> None:
    for one in read_records([DOCS / "results"]):
        assert set(one.values) <= set(catalogue())


def test_page_tells_published_and_ours_side_by_side() -> None:
    page = results_page([record(values={"a-fig-2": {"CNN minus MLP": 0.064}})])
    assert "| CNN minus MLP | 0.1 | 0.064 | line-scan; pooled | [One](#one) |" in page


def test_page_tells_what_no_one_measured() -> None:
    page = results_page([])
    assert "| CNN minus MLP | 0.1 | not measured |" in page
    assert "Fig. 13 to 15, recall and precision on capacitors: published recall with types 0.88" in page


@pytest.mark.parametrize(
    ("code", "told"),
    [("", "*Measured by a script or command, kept by hand.*"),
     ("0123456789", "*Measured and written by a script, code 01234567.*")],
)  # fmt: skip
def test_section_says_whether_a_script_wrote_it(code: str, told: str) -> None:
    assert told in results_page([record(code=code)])


def test_row_of_bench_tells_its_code() -> None:
    told = results_page([record(name="a-fig-2", size="demo", code="0123456789", values={"a-fig-2": {"mlp": 0.5}})])
    assert "| `bench --entry a-fig-2`, demo, code 01234567 |" in told


def test_records_of_other_code_are_told_apart_from_those_kept_by_hand() -> None:
    records = [
        record(code=library_code()), record(name="two", code="0" * 64), record(name="three"),
        record(name="a-fig-2", code=measures_code()), record(name="a-fig-5", code="0" * 64),
    ]  # fmt: skip
    assert [one.name for one in of_other_code(records)] == ["two", "a-fig-5"]


def test_page_keeps_paragraphs_and_tables_of_a_record_in_order() -> None:
    body = [Block(text="Before."), Block(columns=("a", "b"), rows=(("1", "2"),)), Block(text="After.")]
    page = results_page([record(system="platform", body=body)])
    assert "Before.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nAfter.\n" in page


def test_compared_has_no_published_figure_where_none_is_printed() -> None:
    rows = compared(record(values={"a-fig-2": {"mlp": 0.5}}))
    assert rows == [{"entry": "a-fig-2", "quantity": "mlp", "published": None, "ours": 0.5}]


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    one = record(values={"a-fig-2": {"mlp": 0.5}}, body=(Block(text="Told."),))
    assert read_record(one.write(tmp_path)) == one


def test_records_of_a_later_folder_replace_those_of_an_earlier_one(tmp_path: Path) -> None:
    for name, protocol in (("first", "old"), ("second", "new")):
        record(protocol=protocol).write(tmp_path / name)
    assert [one.protocol for one in read_records([tmp_path / "first", tmp_path / "second"])] == ["new"]


def test_record_that_breaks_a_rule_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"name": "one"}')
    with pytest.raises(DataError, match=r"one\.json must be a result of `glassline bench`"):
        read_records([tmp_path])


def test_records_of_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"results must lie in a folder, got .*nowhere"):
        read_records([tmp_path / "nowhere"])
