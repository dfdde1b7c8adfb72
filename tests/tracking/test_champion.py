"""What a champion leaves, and a registry without it."""

from pathlib import Path

import pytest

from glassline import tracking
from glassline.deploy.bundle import load_bundle
from glassline.errors import ModelError, TrackingError
from glassline.tracking.champion import champion_bundle, champion_table, champion_weights, find_champion, keep_table
from glassline.tracking.registry import make_champion, register_model
from tests.registered import exported, write_level_bundle


def test_find_champion_of_an_unknown_model_or_one_without_is_none(tmp_path: Path) -> None:
    assert find_champion("glassline-unknown") is None
    register_model("glassline-challenged", exported(write_level_bundle(tmp_path / "bundle.zip")), {})
    assert find_champion("glassline-challenged") is None


def test_find_champion_tells_what_it_was_tagged_with_and_its_bundle_loads(tmp_path: Path) -> None:
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    make_champion("glassline-a", register_model("glassline-a", run_id, {"cycle": "2026a"}), "")
    champion = find_champion("glassline-a")
    assert (champion.version, champion.export_run, champion.tags["cycle"]) == ("1", run_id, "2026a")
    assert load_bundle(champion_bundle(champion, tmp_path / "fetched")).manifest.model == "cnn"
    assert champion_weights(champion, tmp_path) is None
    assert champion_table(champion) == (None, "")


def test_champion_table_and_weights_are_what_its_runs_kept(tmp_path: Path, monkeypatch, make_table) -> None:
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    (tmp_path / "fitted").mkdir()
    (tmp_path / "fitted" / "model.safetensors").write_bytes(b"weights")
    tracking.client().log_artifacts(run_id, str(tmp_path / "fitted"), "fitted")
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    table = make_table(["dent", "mold"], fold=[0, 1])
    keep_table(table)
    make_champion("glassline-b", register_model("glassline-b", run_id, {"glassline.pipeline_run": run_id}), "")
    champion = find_champion("glassline-b")
    assert champion_table(champion)[0].content_hash() == table.content_hash()
    assert (champion_weights(champion, tmp_path / "got") / "model.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("content", [b"PAR1 no table", b""])
def test_champion_table_that_is_damaged_is_told(tmp_path: Path, content: bytes) -> None:
    name = f"glassline-torn-{len(content)}"
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    (tmp_path / "split.parquet").write_bytes(content)
    tracking.client().log_artifact(run_id, str(tmp_path / "split.parquet"), "cycle")
    make_champion(name, register_model(name, run_id, {"glassline.pipeline_run": run_id}), "")
    table, damage = champion_table(find_champion(name))
    assert table is None
    assert f"the run of version 1 of {name} kept is damaged" in damage


def test_champion_bundle_that_is_gone_is_an_error_of_the_model(tmp_path: Path) -> None:
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    make_champion("glassline-c", register_model("glassline-c", run_id, {}), "")
    (stored,) = Path().glob(f"mlruns/*/{run_id}/artifacts/bundle/bundle.zip")
    stored.unlink()
    with pytest.raises(ModelError, match="got none"):
        champion_bundle(find_champion("glassline-c"), tmp_path)


def test_register_model_registers_a_run_once(tmp_path: Path) -> None:
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    assert [register_model("glassline-d", run_id, {}) for _ in range(2)] == ["1", "1"]
    assert register_model("glassline-d's", run_id, {}) == "1"


def test_register_model_tells_data_of_the_pipeline_and_table_apart(tmp_path: Path, monkeypatch) -> None:
    run_id = exported(write_level_bundle(tmp_path / "bundle.zip"))
    monkeypatch.setenv("MLFLOW_RUN_ID", run_id)
    tracking.client().set_tag(run_id, "data_hash", "source")
    register_model("glassline-h", run_id, {"table_hash": "table"})
    tags = tracking.client().get_model_version("glassline-h", "1").tags
    assert (tags["data_hash"], tags["table_hash"]) == ("source", "table")


def test_find_champion_of_a_registry_that_does_not_answer_is_an_error(monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="must answer"):
        find_champion("glassline-a")
