"""The registry's champion: the first, a better one, an equal one, and a damaged one."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline import tracking
from glassline.data.samples import SampleTable
from glassline.data.splits import assign_folds
from glassline.errors import SettingsError
from glassline.models.registry import build_model
from glassline.models.settings import NetworkSettings
from glassline.steps.export_model import export_model
from glassline.steps.promote_model import promote_model
from glassline.training.fitted import Fitted, save_fitted
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=4, batch_size=16, threads=1)


@pytest.fixture(autouse=True)
def local_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table(make_table: Callable[..., SampleTable], tmp_path: Path) -> SampleTable:
    """Bright and dark patches, 240 of them, with folds."""
    labels = ["dent", "mold"] * 120
    level_N = np.where(np.array(labels) == "dent", 160, 90)
    noise_NHW = np.random.default_rng(0).integers(-20, 21, (240, 112, 112))
    table = make_table(labels, patches_NHW=(level_N[:, None, None] + noise_NHW).astype(np.uint8))
    table = assign_folds(table, 3, seed=0)
    table.write(tmp_path / "table.parquet")
    return table


@pytest.fixture
def promote(table: SampleTable, tmp_path: Path) -> Callable[[Fitted, str], tuple[str, dict]]:
    """Export a model and let the registry decide: promote(fitted, name) -> (decision, promotion)."""

    def run(fitted: Fitted, name: str) -> tuple[str, dict]:
        folder = tmp_path / name
        save_fitted(fitted, folder / "model")
        export = export_model(str(tmp_path / "table.parquet"), str(folder / "model"), name, {}, str(folder / "bundle"))
        decision = promote_model(
            str(tmp_path / "table.parquet"), str(folder / "bundle"), export, "glassline-x", 0.05, str(folder / "p.json")
        )
        return decision, json.loads((folder / "p.json").read_text())

    return run


def _untrained(table: SampleTable) -> Fitted:
    import pandas as pd

    model = build_model("cnn", 112, len(table.attributes), 2, NetworkSettings()).eval()
    return Fitted("cnn", model, table.classes, "", tuple(table.attributes), SETTINGS, pd.DataFrame())


def _trained(table: SampleTable, tmp_path: Path) -> Fitted:
    train_N = np.flatnonzero(table.rows["fold"] != 0)
    return fit_model("cnn", table, train_N, train_N[:0], SETTINGS, 0, tmp_path / "checkpoints", lambda *_: None)


def test_promote_model_makes_champions_only_of_the_first_and_of_a_better_one(promote, table, tmp_path) -> None:
    good = _trained(table, tmp_path)
    assert promote(_untrained(table), "first")[0] == "promoted"
    decision, promotion = promote(good, "better")
    assert decision == "promoted"
    assert promotion["challenger_accuracy"] > promotion["champion_accuracy"]
    decision, promotion = promote(good, "equal")
    assert decision == "kept"
    assert promotion["mcnemar_p"] == 1
    client = tracking.client()
    assert client.get_model_version_by_alias("glassline-x", "champion").version == 2
    assert client.get_model_version_by_alias("glassline-x", "challenger").version == 3


def test_promote_model_keeps_a_champion_whose_bundle_is_damaged(promote, table, tmp_path) -> None:
    promote(_untrained(table), "first")
    (stored,) = tmp_path.glob("mlruns/**/artifacts/bundle/bundle.zip")
    stored.write_bytes(b"no zip")
    decision, promotion = promote(_trained(table, tmp_path), "second")
    assert decision == "kept"
    assert "whole bundle" in promotion["reasons"][0]


def test_promote_model_refuses_a_significance_out_of_range(tmp_path) -> None:
    with pytest.raises(SettingsError, match="significance"):
        promote_model("t", "b", "r", "n", 1.5, str(tmp_path / "p.json"))
