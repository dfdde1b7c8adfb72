"""The check of a new cycle's data: what is refused, what is told, what it leaves for the next cycle, and candidates."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline import tracking
from glassline.data.importers import read_source
from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds
from glassline.errors import DataError
from glassline.models.registry import build_model
from glassline.models.settings import NetworkSettings
from glassline.report.cycle_check_section import cycle_check_sections
from glassline.steps.check_cycle import check_cycle
from glassline.steps.export_model import export_model
from glassline.steps.import_images import as_stated
from glassline.steps.split_samples import split_samples
from glassline.tracking.champion import CHAMPION
from glassline.training.fitted import Fitted, save_fitted
from glassline.training.settings import TrainingSettings
from glassline.vision.candidates import CandidateSettings
from glassline.vision.patches import ExtractSettings, extract_patches
from tests.tracked import without_run

CHECK = {"least_per_class": 3, "permutations": 99, "patches": 40, "embedded": 40}
SETTINGS = ExtractSettings(candidates=CandidateSettings(per_image=1))


@pytest.fixture(autouse=True)
def apart(monkeypatch):
    """Leave no pipeline's run behind."""
    without_run(monkeypatch)


def _cycle(folder, light=120.0, dark=6, change=lambda rows: rows):
    """Write a cycle's tables: its folder holds samples.parquet and split.parquet."""
    rng = np.random.default_rng(len(folder.name))
    for label, level, count in (("bright", 60, 6), ("dark", -60, dark)):
        (folder / "set" / label).mkdir(parents=True)
        for number in range(count):
            grey_HW = rng.normal(light, 4, (150, 150))
            x_px, y_px = rng.integers(40, 100, 2)
            grey_HW[y_px : y_px + 12, x_px : x_px + 12] += level
            cv2.imwrite(str(folder / "set" / label / f"{number}.png"), grey_HW.clip(0, 255).astype(np.uint8))
    table = read_source(str(folder / "set"), "image-folder", product="P1", cycle=folder.name)
    table.write(folder / "samples.parquet")
    patches, _ = extract_patches(table, folder / "store", SETTINGS, lambda done, total: None)
    split = assign_folds(patches, 3, seed=0, strict=False)
    split.with_rows(change(split.rows)).write(folder / "split.parquet")
    return folder


def _check(folder, registered="glassline-none", product="P1", split="", checked="checked"):
    """Check a cycle in a pipeline's run of its own; return the candidates and the run."""
    run = tracking.create_pipeline_run("glassline", folder.name, {}, None)
    found = check_cycle(
        split or str(folder / "split.parquet"), str(folder / "samples.parquet"), product, folder.name, registered,
        CHECK, str(folder / checked),
    )  # fmt: skip
    return found, run


@pytest.fixture(scope="module")
def crowned(tmp_path_factory):
    """Make an untrained network champion of a first cycle, and of names whose table is gone; return its folder."""
    folder = _cycle(tmp_path_factory.mktemp("first") / "a")
    with pytest.MonkeyPatch.context() as patch:
        without_run(patch)
        _, run = _check(folder)
        table = read_samples(folder / "split.parquet", "patches")
        table.with_rows(table.rows.assign(augmentation="", origin="")).write(folder / "augmented.parquet")
        network = build_model("cnn", 112, len(table.attributes), 2, NetworkSettings()).eval()
        attributes, settings = tuple(table.attributes), TrainingSettings(epochs=1)
        fitted = Fitted("cnn", network, table.classes, "", attributes, settings, pd.DataFrame())
        save_fitted(fitted, folder / "model")
        export = export_model(
            str(folder / "augmented.parquet"), str(folder / "model"), "cnn", {}, str(folder / "bundle")
        )
        gone = tracking.create_pipeline_run("glassline", "gone", {}, None)
        (folder / "gone").mkdir()
        replace(table, root=str(folder / "nowhere")).write(folder / "gone" / "split.parquet")
        tracking.parent_artifact(folder / "gone" / "split.parquet", "cycle")
        for name, pipeline in (("glassline-P1", run), ("glassline-gone", gone), ("glassline-old", "")):
            _register(name, export, pipeline)
    return folder


def _register(name, export, pipeline):
    client, uri = tracking.client(), tracking.client().get_run(export).data.tags["glassline.model_uri"]
    client.create_registered_model(name)
    tags = {"glassline.pipeline_run": pipeline, "model": "cnn"}
    version = client.create_model_version(name, uri, export, tags=tags, model_id=uri.rpartition("/")[2])
    client.set_registered_model_alias(name, CHAMPION, version.version)


def _told(folder, checked="checked"):
    return json.loads((folder / checked / "check.json").read_text())


def _step(run):
    (child,) = [one for one in tracking.children(run) if one["step"] == "check_cycle"]
    return tracking.client().get_run(child["run_id"])


def test_first_cycle_passes_and_leaves_what_the_next_one_is_compared_with(tmp_path):
    folder = _cycle(tmp_path / "a")
    found, run = _check(folder)
    assert {one["start"] for one in found} == {"scratch"}
    assert set(_told(folder)["outcomes"].values()) == {"passed"}
    assert tracking.run_files(run, "cycle") == ["cycle/light.parquet", "cycle/split.parquet"]
    step = _step(run)
    assert {step.data.tags[f"check.{name}"] for name in ("leaks", "light")} == {"passed"}
    assert "has no champion yet" in step.data.tags["glassline.notes"]
    figures = set(tracking.run_files(step.info.run_id, "figures"))
    assert figures == {"figures/samples.png", "figures/light.png", "figures/class_counts.png"}


def test_next_cycle_is_compared_by_the_champions_bundle(crowned, tmp_path):
    second = _cycle(tmp_path / "bb", light=200.0)
    found, _ = _check(second, "glassline-P1")
    told = _told(second)
    assert (told["features"], told["champion_model"]) == ("the champion's class probabilities", "cnn")
    assert told["outcomes"]["light"] == "warned"
    assert told["not_compared"] == []
    assert "sources" in {one["start"] for one in found}
    titles = [section.title for section in cycle_check_sections(second / "checked")]
    assert titles[-1] == "New data: drift since the last cycle"


def test_same_data_again_do_not_drift_and_are_said_to_be_known(crowned):
    _check(crowned, "glassline-P1", checked="again")
    outcomes = _told(crowned, "again")["outcomes"]
    assert (outcomes["attributes"], outcomes["seen"], outcomes["labels"]) == ("passed", "warned", "passed")


def test_other_label_than_in_the_last_cycle_is_refused(crowned, tmp_path):
    table = read_samples(crowned / "split.parquet", "patches")
    other = table.rows["unit_label"].mask(table.rows["id"] == table.rows["id"].iloc[0], "dark")
    table.with_rows(table.rows.assign(unit_label=other)).write(tmp_path / "split.parquet")
    with pytest.raises(DataError, match=r"labels: 1 patches were labelled otherwise .*bright then, dark now"):
        _check(crowned, "glassline-P1", split=str(tmp_path / "split.parquet"), checked="otherwise")


def test_refusal_names_every_problem_and_leaves_the_pictures(tmp_path):
    def twice(rows):
        return rows.assign(sha256=["same", "same", *rows["sha256"][2:]])

    folder = _cycle(tmp_path / "a", dark=2, change=twice)
    with pytest.raises(
        DataError, match=r"3 problems: \(1\) duplicates: .* \(2\) counts: .*dark has 2; .* dark has none"
    ):
        _check(folder)
    run = tracking.pipeline_run_id()
    assert tracking.client().get_run(run).data.tags["verdict"] == "refused"
    assert tracking.run_files(run, "cycle") == []
    assert _step(run).data.tags["check.counts"] == "refused"
    assert (folder / "checked" / "samples.png").is_file()


def _split_by(folder, groups, tmp_path):
    """Split the patches of a cycle again, with other groups: rows -> groups."""
    table = read_samples(folder / "split.parquet", "patches")
    regrouped = table.with_rows(table.rows.assign(group=groups(table.rows)).drop(columns="fold"))
    regrouped.write(tmp_path / "patches.parquet")
    split_samples(str(tmp_path / "patches.parquet"), 10, 0, str(tmp_path / "split.parquet"), strict=False)
    return str(tmp_path / "split.parquet")


def test_every_class_of_one_group_is_named(crowned, tmp_path):
    split = _split_by(crowned, lambda rows: rows["unit_label"], tmp_path)
    with pytest.raises(DataError, match=r"at least 2 groups .*bright has 1, dark has 1; .*got enough for 2;"):
        _check(crowned, split=split, checked="narrow")
    assert _told(crowned, "narrow")["outcomes"]["counts"] == "refused"


def test_a_single_group_is_refused_beside_a_champion(crowned, tmp_path):
    split = _split_by(crowned, lambda rows: "one", tmp_path)
    with pytest.raises(DataError, match="got enough for 1;"):
        _check(crowned, "glassline-P1", split=split, checked="single")
    assert (crowned / "single" / "samples.png").is_file()


def test_fewer_groups_than_folds_are_noted_and_pass(crowned, tmp_path, capsys):
    split = _split_by(crowned, lambda rows: [f"G{number % 5}" for number in range(len(rows))], tmp_path)
    assert "there are groups for 5 folds, not 10: the cross-validation has 5" in capsys.readouterr().out
    _check(crowned, split=split, checked="five")
    assert _told(crowned, "five")["outcomes"]["counts"] == "passed"


def test_class_that_the_model_would_not_be_trained_on_is_refused(tmp_path):
    def held_out(rows):
        return rows.assign(fold=rows["fold"].where(rows["unit_label"] != "dark", rows["fold"] % 2))

    folder = _cycle(tmp_path / "a", change=held_out)
    with pytest.raises(DataError, match="a group to train on besides those that test and validate, dark has none"):
        _check(folder)


def test_lost_shards_of_the_last_cycle_are_told_and_refuse_nothing(crowned):
    _check(crowned, "glassline-gone", checked="gone-checked")
    told = _told(crowned, "gone-checked")
    assert told["outcomes"]["embedding"] == "warned"
    assert told["compared_patches"] == 0


def test_champion_without_table_is_told(crowned):
    _check(crowned, "glassline-old", checked="old-checked")
    assert "left no table of its cycle" in _told(crowned, "old-checked")["not_compared"][0]
    assert not (crowned / "old-checked" / "map.png").exists()


@pytest.mark.parametrize(
    ("name", "told"), [("split", "is damaged"), ("light", "the light levels of champion 1 cannot be read")]
)
def test_damaged_file_of_the_last_cycle_is_told(crowned, tmp_path, name, told):
    run = tracking.create_pipeline_run("glassline", f"torn {name}", {}, None)
    (tmp_path / "light.parquet").write_bytes(b"torn")
    (tmp_path / "split.parquet").write_bytes((crowned / "split.parquet").read_bytes())
    (tmp_path / f"{name}.parquet").write_bytes(b"torn")
    tracking.parent_artifact(tmp_path / "split.parquet", "cycle")
    tracking.parent_artifact(tmp_path / "light.parquet", "cycle")
    export = tracking.client().get_model_version_by_alias("glassline-old", CHAMPION).run_id
    _register(f"glassline-torn-{name}", export, run)
    _check(crowned, f"glassline-torn-{name}", checked=f"torn-{name}")
    assert any(told in line for line in _told(crowned, f"torn-{name}")["not_compared"])


def test_champion_with_damaged_weights_is_no_start(crowned):
    first = tracking.client().get_model_version_by_alias("glassline-P1", CHAMPION)
    place = Path(f"mlruns/{tracking.client().get_run(first.run_id).info.experiment_id}/{first.run_id}/artifacts/fitted")
    content = (place / "model.safetensors").read_bytes()
    (place / "model.safetensors").write_bytes(b"torn")
    try:
        found, _ = _check(crowned, "glassline-P1", checked="torn-weights")
    finally:
        (place / "model.safetensors").write_bytes(content)
    assert "champion" not in {one["start"] for one in found}
    assert any("no candidate starts from them" in line for line in _told(crowned, "torn-weights")["not_compared"])


def test_captures_of_another_product_are_warned_of_though_they_count_as_this_one(tmp_path):
    folder = _cycle(tmp_path / "a")
    images = read_samples(folder / "samples.parquet", "images")
    as_stated(images.with_rows(images.rows.assign(product="P9")), "P1", "a").write(folder / "samples.parquet")
    _check(folder)
    assert _told(folder)["outcomes"]["product"] == "warned"
    assert "of product 'P9', not 'P1'" in str(_told(folder))
