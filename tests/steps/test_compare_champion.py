"""Candidate beside champion: same units, what was learned from, an old product, and a champion that cannot judge."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from glassline import tracking
from glassline.analysis.compared import Compared, read_compared
from glassline.data.samples import SampleTable
from glassline.data.splits import assign_folds
from glassline.errors import DataError, StorageError
from glassline.steps.compare_champion import compare_champion
from glassline.tracking.registry import make_champion, register_model
from tests.registered import exported, write_level_bundle


@pytest.fixture
def table(make_table: Callable[..., SampleTable]) -> Callable[..., SampleTable]:
    """Bright and dark patches with folds: table("new", seed=1)."""

    def make(name: str, seed: int = 0) -> SampleTable:
        labels = ["dent", "control"] * 15
        level_N = np.where(np.array(labels) == "dent", 160, 90)
        noise_NHW = np.random.default_rng(seed).integers(-20, 21, (30, 112, 112))
        made = make_table(
            labels, patches_NHW=(level_N[:, None, None] + noise_NHW).astype(np.uint8), classes=("dent", "control"),
            name=name, product=["P"] * 30, cycle=[name] * 30,
        )  # fmt: skip
        return assign_folds(SampleTable(made.rows, "patches", made.root, made.classes, "control"), 3, seed=0)

    return make


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., Compared]:
    """Compare a candidate that is always right with the champion of a model's name."""

    def run(table: SampleTable, model: str) -> Compared:
        table.write(tmp_path / "table.parquet")
        bundle = write_level_bundle(tmp_path / "bundle" / "bundle.zip", data_hash=table.content_hash())
        answers = table.rows[["unit", "group"]].assign(
            model="cnn-scratch", actual=table.rows["unit_label"], predicted=table.rows["unit_label"]
        )
        (tmp_path / "validated").mkdir(exist_ok=True)
        answers.to_parquet(tmp_path / "validated" / "predictions.parquet")
        compare_champion(
            str(tmp_path / "table.parquet"), str(bundle.parent), "run", str(tmp_path / "validated"),
            {"name": "cnn-scratch", "model": "cnn", "start": "scratch"}, model, {"units": 3},
            str(tmp_path / "compared"),
        )  # fmt: skip
        return read_compared(tmp_path / "compared")

    return run


def crown(tmp_path: Path, model: str, above: float, table: SampleTable | None = None) -> Path:
    """Make a champion of a graph, with the table that it learned from, and return its stored bundle."""
    run_id = exported(write_level_bundle(tmp_path / "old" / "bundle.zip", above))
    tags = {}
    if table is not None:
        table.write(tmp_path / "old" / "split.parquet")
        tracking.client().log_artifact(run_id, str(tmp_path / "old" / "split.parquet"), "cycle")
        tags = {"glassline.pipeline_run": run_id}
    make_champion(model, register_model(model, run_id, tags), "")
    (stored,) = Path().glob(f"mlruns/*/{run_id}/artifacts/bundle/bundle.zip")
    return stored


def test_compare_champion_without_a_champion_times_the_candidate(compare, table) -> None:
    found = compare(table("new"), "glassline-none")
    assert (found.champion, found.champion_error, found.cycle) == ("", "", "new")
    assert found.latency_ms["units"] == 3
    assert 0 < found.latency_ms["median"] <= found.latency_ms["p95"]


def test_compare_champion_judges_every_unit_of_the_new_product(compare, table, tmp_path) -> None:
    crown(tmp_path, "glassline-blind", above=1000)
    found = compare(table("new"), "glassline-blind")
    assert found.champion == "1"
    assert len(found.units("new")) == 30
    assert set(found.units("new")["champion"]) == {"control"}
    assert found.old_error == "the champion's run kept no table of patches"
    assert "it may have seen some units" in found.notes[0]


def test_compare_champion_judges_the_old_products_held_out_fold_by_both(compare, table, tmp_path) -> None:
    old = table("old", seed=1)
    crown(tmp_path, "glassline-old", above=1000, table=old)
    found = compare(table("new"), "glassline-old")
    rows = found.units("old")
    assert set(rows["unit"]) == set(old.rows["unit"][old.rows["fold"] == 0])
    assert (rows["candidate"] == rows["actual"]).all()
    assert set(rows["champion"]) == {"control"}
    assert not found.answers["seen"].any()


def test_compare_champion_marks_units_that_the_champion_was_trained_on(compare, table, tmp_path) -> None:
    new = table("new")
    crown(tmp_path, "glassline-same", above=125, table=new)
    found = compare(new, "glassline-same")
    assert set(found.units("new")["unit"]) == set(new.rows["unit"][new.rows["fold"] == 0])
    assert "trained on 20 of 30 units" in found.notes[0]


def test_compare_champion_marks_units_of_a_glass_that_the_champion_was_trained_on(compare, table, tmp_path) -> None:
    new, older = table("new"), table("older", seed=1)
    same = older.with_rows(older.rows.assign(**new.rows[["group", "product", "cycle", "fold"]]))
    crown(tmp_path, "glassline-glass", above=125, table=same)
    assert len(compare(new, "glassline-glass").units("new")) == (new.rows["fold"] == 0).sum()


def test_compare_champion_judges_without_unknown_as_a_cross_validation_does(
    compare, table, tmp_path, monkeypatch
) -> None:
    crown(tmp_path, "glassline-known", above=125)
    monkeypatch.setattr("glassline.deploy.judge.unknown_distance", lambda bundle: 0.0)
    assert "unknown" not in set(compare(table("new"), "glassline-known").answers["champion"])


def test_compare_champion_tells_that_an_old_products_pixels_are_gone(compare, table, tmp_path) -> None:
    old = table("old", seed=1)
    crown(tmp_path, "glassline-gone", above=125, table=old)
    for shard in Path(old.root).glob("patch*"):
        shard.unlink()
    found = compare(table("new"), "glassline-gone")
    assert found.old_lost
    assert len(found.units("new")) == 30
    assert found.units("old").empty


def test_compare_champion_fails_while_the_old_products_store_does_not_answer(
    compare, table, tmp_path, s3, monkeypatch
) -> None:  # fmt: skip
    crown(tmp_path, "glassline-away", above=125, table=replace(table("old", seed=1), root=f"{s3}/old"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="must answer"):
        compare(table("new"), "glassline-away")


def test_compare_champion_tells_that_an_old_products_store_lost_its_pixels(compare, table, tmp_path, s3) -> None:
    crown(tmp_path, "glassline-lost", above=125, table=replace(table("old", seed=1), root=f"{s3}/old"))
    found = compare(table("new"), "glassline-lost")
    assert found.old_lost
    assert "must be there" in found.old_error


def test_compare_champion_tells_that_an_old_products_table_is_damaged(compare, table, tmp_path) -> None:
    stored = crown(tmp_path, "glassline-torn", above=125, table=table("old", seed=1))
    (stored.parents[1] / "cycle" / "split.parquet").write_bytes(b"torn")
    found = compare(table("new"), "glassline-torn")
    assert found.old_lost
    assert "is damaged" in found.old_error
    assert len(found.units("new")) == 30


@pytest.mark.parametrize(("damage", "told"), [(b"no zip", "whole bundle"), (None, "got none")])
def test_compare_champion_tells_of_a_champion_that_cannot_judge(compare, table, tmp_path, damage, told) -> None:
    name = f"glassline-damaged-{told[:3]}"
    stored = crown(tmp_path, name, above=125)
    stored.unlink()
    if damage:
        stored.write_bytes(damage)
    found = compare(table("new"), name)
    assert found.champion == "1"
    assert told in found.champion_error


def test_compare_champion_refuses_answers_that_are_not_one_a_unit(compare, table, tmp_path) -> None:
    new = table("new")
    compare(new, "glassline-none")
    new.with_rows(new.rows[:20]).write(tmp_path / "table.parquet")
    with pytest.raises(DataError, match="one answer of cnn-scratch for each of 20 units, got 30"):
        compare_champion(
            str(tmp_path / "table.parquet"), str(tmp_path / "bundle"), "run", str(tmp_path / "validated"),
            {"name": "cnn-scratch", "model": "cnn", "start": "scratch"}, "glassline-none", {}, str(tmp_path / "c"),
        )  # fmt: skip
