"""A candidate of a cycle: where it starts, how it is validated, and what starts must not know."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.compared import read_compared
from glassline.data.samples import SampleTable, read_samples
from glassline.deploy.bundle import load_bundle
from glassline.errors import DataError, SettingsError
from glassline.steps.choose_sources import CHOSEN, choose_sources, read_chosen
from glassline.steps.compare_champion import compare_champion
from glassline.steps.explain_cam import explain_cam
from glassline.steps.export_model import export_model
from glassline.steps.select_sources import SELECTION
from glassline.steps.train_candidate import train_candidate
from glassline.tracking import client
from glassline.tracking.champion import Champion, champion_weights
from glassline.training.failed_fit import FailedFitError, failure_of
from glassline.training.fitted import load_fitted
from glassline.training.saved_network import weights_hash

FAST = {"cnn": {"filters": 2, "pool_px": 4}, "embedding": {"width": 4}, "epochs": 1, "batch_size": 8, "threads": 1}
TINY = {
    "backbone": {"network": "shufflenet_v2_x0_5", "weights": "random"}, "base_epochs": 1, "epochs": 1, "batch_size": 8,
    "threads": 1,
}  # fmt: skip
BY_TABLE = {"by": "table", "largest_inconsistency": 9}


@pytest.fixture
def product(make_table, tmp_path):
    """Write the patches of a product in three folds: product("P", cycle="2", dent=190) -> path."""

    def write(name, cycle="1", dent=190, count=18, product="P"):
        draw, labels = np.random.default_rng(sum(name.encode())), ["clean", "dent"] * (count // 2)
        patches_NHW = np.stack([
            draw.normal(90 if label == "clean" else dent, 12, (112, 112)).clip(0, 255) for label in labels
        ]).astype(np.uint8)  # fmt: skip
        table = make_table(
            labels, patches_NHW=patches_NHW, classes=("clean", "dent"), name=name, product=product, cycle=cycle,
            fold=[number // 2 % 3 for number in range(count)], augmentation=[""] * count,
            origin=[f"p{n}" for n in range(count)],
        )  # fmt: skip
        path = tmp_path / f"{name}.parquet"
        replace(table, clean_class="clean").write(path)
        return str(path)

    return write


@pytest.fixture
def crown(tmp_path):
    """Make a folder of weights the champion of a registered model: crown("glassline-P", weights, table)."""

    def make(name: str, weights: str | Path | None, table: str | Path | None) -> None:
        run_id = client().create_run(client().create_experiment(f"of {name} {tmp_path.name}")).info.run_id
        if weights:
            client().log_artifacts(run_id, str(weights), "fitted")
        if table:
            (tmp_path / "split.parquet").write_bytes(Path(table).read_bytes())
            client().log_artifact(run_id, str(tmp_path / "split.parquet"), "cycle")
        client().create_registered_model(name)
        source = client().get_run(run_id).info.artifact_uri
        tags = {"cycle": "1", "glassline.pipeline_run": run_id}
        version = client().create_model_version(name, source, run_id, tags=tags)
        client().set_registered_model_alias(name, "champion", version.version)

    return make


@pytest.fixture
def train(tmp_path):
    """Train a candidate in a folder of its own: train(table, "cnn", "scratch") -> (hash, folder)."""

    def run(table, model, start, registered="glassline-none", chosen="", store="store", out="out"):
        folder = tmp_path / f"{out}-{model}-{start}"
        told = train_candidate(
            table, "", {"name": f"{model}-{start}", "model": model, "start": start}, chosen, registered, FAST, 0,
            str(tmp_path / store), str(folder / "model"), str(folder / "validated"),
        )  # fmt: skip
        return told, folder

    return run


def _choose(table, sources, registered, tmp_path, budget=1000) -> Path:
    folder = tmp_path / "chosen"
    choose_sources(
        table, "", sources, {}, registered, BY_TABLE, {"budget": budget}, TINY, 0, str(tmp_path / "store"), str(folder)
    )
    return folder


def test_every_unit_is_predicted_once_by_a_fit_that_had_not_seen_it(product, train):
    path = product("new")
    _, folder = train(path, "cnn", "scratch")
    told, table = pd.read_parquet(folder / "validated" / "predictions.parquet"), read_samples(path, "patches")
    assert sorted(told["unit"]) == sorted(table.rows["unit"])
    assert set(told["model"]) == {"cnn-scratch"}
    assert told.set_index("unit")["fold"].to_dict() == table.rows.set_index("unit")["fold"].to_dict()
    assert {"group", "actual", "predicted", "p_clean", "p_dent"} <= set(told.columns)


def test_a_second_try_trains_no_finished_fold_again_and_gives_the_same_model(product, train, monkeypatch):
    path = product("new")
    first, _ = train(path, "cnn", "scratch")
    monkeypatch.setattr("glassline.steps.train_candidate._fit_and_predict", pytest.fail)
    assert train(path, "cnn", "scratch", out="again")[0] == first


@pytest.mark.parametrize("model", ["ensemble_fusion", "triplet"])
def test_a_candidate_starts_from_the_champion(model, product, crown, train, tmp_path, capsys):
    older, newer = product("older"), product("newer", cycle="2")
    _, folder = train(older, model, "scratch", out="champion")
    crown(f"glassline-{model}", folder / "model", older)
    first, out = train(newer, model, "champion", f"glassline-{model}")
    assert load_fitted(out / "model").start.startswith(f"version 1 of glassline-{model}: ")
    assert "started from these weights" in capsys.readouterr().out
    again, _ = train(newer, model, "champion", f"glassline-{model}", store="fresh", out="again")
    assert again == first


def test_units_that_the_champion_knows_are_noted(product, crown, train, capsys):
    older = product("older")
    _, folder = train(older, "cnn", "scratch", out="champion")
    crown("glassline-known", folder / "model", older)
    train(older, "cnn", "champion", "glassline-known")
    assert "the data set of 18 of 18 units that are cross-validated" in capsys.readouterr().out


def test_a_candidate_whose_training_fails_is_handed_on_to_the_gate(product, train, tmp_path, monkeypatch, capsys):
    path = product("new")
    monkeypatch.setattr("glassline.training.metric._LEAST_SPREAD", 10)
    told, folder = train(path, "triplet", "scratch")
    candidate = {"name": "triplet-scratch", "model": "triplet", "start": "scratch"}
    run_id = export_model(path, str(folder / "model"), "triplet-scratch", {}, str(folder / "bundle"), strict=False)
    explain_cam(path, str(folder / "model"), "triplet-scratch", 0, str(folder / "explained"))
    compare_champion(
        path, str(folder / "bundle"), run_id, str(folder / "validated"), candidate, "glassline-none", {},
        str(folder / "compared"),
    )  # fmt: skip
    found = read_compared(folder / "compared")
    assert told == "failed"
    assert "triplet-scratch takes no part, its training failed: embeddings must differ" in capsys.readouterr().out
    assert found.failure.startswith("embeddings must differ")
    assert found.units("new").empty
    assert pd.read_parquet(folder / "explained" / "elsewhere.parquet").empty


def test_a_candidate_that_failed_after_its_validation_has_no_predictions(product, train, monkeypatch):
    def fail(*given):
        raise FailedFitError("train_loss must stay finite")

    monkeypatch.setattr("glassline.steps.train_candidate.train_and_write", fail)
    _, folder = train(product("new"), "cnn", "scratch")
    assert [failure_of(folder / name) for name in ("model", "validated")] == ["train_loss must stay finite"] * 2
    assert not (folder / "validated" / "predictions.parquet").exists()


def test_a_start_that_is_none_is_refused(product, train):
    with pytest.raises(SettingsError, match="start"):
        train(product("new"), "cnn", "elsewhere")


@pytest.mark.parametrize("start", ["champion", "sources"])
@pytest.mark.parametrize(("weights", "told"), [(None, "kept no weights"), (b"torn", "are damaged")])
def test_weights_that_a_champion_lacks_are_noted_and_random_ones_are_taken(
    product, crown, train, tmp_path, capsys, start, weights, told
):
    path, name = product("new"), f"glassline-{start}-{told[-7:]}"
    if weights:
        (tmp_path / "weights").mkdir()
        (tmp_path / "weights" / "model.safetensors").write_bytes(weights)
    crown(name, tmp_path / "weights" if weights else None, product("older"))
    chosen = _choose(path, [], "glassline-none", tmp_path)
    _, folder = train(path, "cnn", start, name, str(chosen))
    assert load_fitted(folder / "model").start == ""
    assert f"version 1 of {name} kept" in (noted := capsys.readouterr().out)
    assert told in noted


@pytest.mark.parametrize("gone", ["shards", "table"])
def test_a_last_cycle_that_cannot_be_read_is_no_source(product, crown, tmp_path, capsys, gone):
    older, newer = product("older"), product("newer", cycle="2")
    if gone == "table":
        (tmp_path / "older.parquet").write_bytes(b"torn")
    else:
        for shard in Path(read_samples(older, "patches").root).glob("patch*"):
            shard.unlink()
    crown(f"glassline-lost-{gone}", None, older)
    chosen = _choose(newer, [], f"glassline-lost-{gone}", tmp_path)
    assert not (chosen / CHOSEN).exists()
    assert {"shards": "P-1 is no source, its patches cannot be read", "table": "is damaged"}[gone] in (
        capsys.readouterr().out
    )


def test_the_champion_of_another_model_is_no_start_but_sources_are(product, crown, train, tmp_path):
    older, newer = product("older"), product("newer", cycle="2")
    _, folder = train(older, "cnn", "scratch", out="champion")
    crown("glassline-other", folder / "model", older)
    with pytest.raises(SettingsError, match="must be the champion's model to start from it, cnn, got metadata"):
        train(newer, "metadata", "champion", "glassline-other")
    chosen = _choose(newer, [], "glassline-other", tmp_path)
    _, out = train(newer, "metadata", "sources", "glassline-other", str(chosen))
    fitted = load_fitted(out / "model")
    assert fitted.sources == ("P-1",)
    assert fitted.start.startswith("P-1 (12 patches): 6 of 6 tensors of metadata")


def test_what_champion_and_target_are_tested_on_is_no_source(product, crown, train, tmp_path, capsys):
    older, newer = product("older"), product("newer", cycle="2")
    crown("glassline-tested", None, older)
    table = read_samples(newer, "patches")
    pixels = read_samples(older, "patches").rows["sha256"].iloc[2]
    rows = table.rows.assign(sha256=[pixels, *table.rows["sha256"][1:]])
    replace(table, rows=rows).write(newer)
    chosen = read_samples(_choose(newer, [], "glassline-tested", tmp_path) / CHOSEN, "patches")
    tested = read_samples(older, "patches").rows.query("fold == 0")
    assert len(chosen.rows) == 11
    assert not set(chosen.rows["sha256"]) & {pixels, *tested["sha256"]}
    assert "1 of 12 patches of P-1 are left out" in capsys.readouterr().out


def test_sources_compete_for_the_budget(product, crown, tmp_path, write_marked_images):
    older, newer = product("older"), product("newer", cycle="2")
    crown("glassline-budget", None, older)
    folder = write_marked_images(tmp_path / "set", images=6)
    listed = [{"data": str(folder), "data_format": "mask-folder", "product": "P7"}]
    chosen = _choose(newer, listed, "glassline-budget", tmp_path, budget=13)
    assert (chosen / SELECTION).is_file()
    assert (chosen / "selection.png").stat().st_size > 1000
    reasons = pd.read_parquet(chosen / "reasons.parquet")
    assert set(reasons["source"]) == {"P-1", "P7"}
    assert len(read_samples(chosen / CHOSEN, "patches").rows) <= 13


def test_sources_share_the_budget_where_no_class_is_clean(product, crown, tmp_path, write_marked_images, capsys):
    older, newer = product("older"), product("newer", cycle="2")
    replace(read_samples(newer, "patches"), clean_class="").write(newer)
    crown("glassline-shared", None, older)
    folder = write_marked_images(tmp_path / "set", images=6)
    listed = [{"data": str(folder), "data_format": "mask-folder", "product": "P7"}]
    chosen = _choose(newer, listed, "glassline-shared", tmp_path, budget=13)
    names, pool = read_chosen(str(chosen))
    assert "2 sources share the budget, they cannot be compared: a target must have a clean" in capsys.readouterr().out
    assert names == ("P-1", "P7")
    assert {name.split("/")[0] for name in pool.rows["id"]} == {"P-1", "P7"}
    assert len(pool.rows) <= 13


def test_without_a_source_the_candidate_starts_from_scratch(product, train, tmp_path, capsys):
    path = product("new")
    chosen = _choose(path, [], "glassline-none", tmp_path)
    assert not (chosen / CHOSEN).exists()
    train(path, "cnn", "sources", chosen=str(chosen))
    assert "no source was chosen to start from: from scratch" in capsys.readouterr().out


def test_a_source_larger_than_the_budget_is_thinned(product, crown, tmp_path):
    newer = product("newer", cycle="2")
    crown("glassline-thin", None, product("older"))
    chosen: SampleTable = read_samples(_choose(newer, [], "glassline-thin", tmp_path, budget=8) / CHOSEN, "patches")
    assert chosen.rows["label"].value_counts().to_dict() == {"clean": 4, "dent": 4}


def test_an_exported_model_keeps_the_weights_that_the_next_cycle_starts_from(product, train, tmp_path):
    path = product("new")
    _, folder = train(path, "cnn", "scratch")
    run_id = export_model(path, str(folder / "model"), "cnn", {}, str(tmp_path / "bundle"))
    weights = champion_weights(Champion("glassline-P", "1", run_id, "", {}), tmp_path / "fetched")
    kept, trained = load_fitted(weights), load_fitted(folder / "model")
    assert weights_hash(kept.model) == weights_hash(trained.model)


def test_an_export_without_parity_goes_to_the_gate_and_is_never_logged(product, train, tmp_path, monkeypatch):
    path = product("new")
    _, folder = train(path, "cnn", "scratch")
    monkeypatch.setattr("glassline.deploy.export.TOLERANCE", -1.0)
    run_id = export_model(path, str(folder / "model"), "cnn", {}, str(tmp_path / "bundle"), strict=False)
    parity = load_bundle(tmp_path / "bundle" / "bundle.zip").manifest.parity
    assert parity["largest_difference"] > parity["tolerance"]
    run = client().get_run(run_id)
    assert "the bundle is not kept" in run.data.tags["glassline.notes"]
    assert "glassline.model_uri" not in run.data.tags
    assert not client().list_artifacts(run_id, "bundle")


def test_the_new_product_itself_is_no_listed_source(product, tmp_path):
    listed = [{"data": str(tmp_path), "data_format": "mask-folder", "product": "P"}]
    with pytest.raises(DataError, match="must be of other products than the new one, got P as both"):
        _choose(product("new"), listed, "glassline-none", tmp_path)
