"""The step: what is trained and evaluated, what is refused before training."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassline.data.importers import read_source
from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds
from glassline.errors import DataError
from glassline.steps.cut_patches import cut_patches
from glassline.steps.export_model import export_model
from glassline.steps.train_transfer import EVALUATION, IMAGES, PROBABILITIES, SELECTION, train_transfer
from glassline.training.fitted import load_fitted, predict
from glassline.training.run_defective import run_defective
from glassline.vision.patches import ExtractSettings
from glassline.vision.windows import as_patch

FAST = {
    "backbone": {"network": "timm/test_resnet.r160_in1k", "weights": "random"}, "base_epochs": 1, "epochs": 1,
    "batch_size": 8, "threads": 1,
}  # fmt: skip
CUT = {"window_px": 32, "step_px": 32, "clean_per_image": 2}


@pytest.fixture(scope="module")
def cut(write_marked_images, tmp_path_factory):
    """Write 12 images and their patches in three folds; return the folder."""
    folder = write_marked_images(tmp_path_factory.mktemp("set"), images=12)
    read_source(folder, "mask-folder", product="T").write(folder / "samples.parquet")
    cut_patches(str(folder / "samples.parquet"), "hash", CUT, str(folder / "store"), str(folder / "patches.parquet"))
    assign_folds(read_samples(folder / "patches.parquet", "patches"), 3, 0).write(folder / "target.parquet")
    return folder


@pytest.fixture
def sources(make_table):
    sizes = {"P1": ["dent"] * 6 + ["mold"] * 4, "P2": ["dent"] * 3 + ["mold"] * 9}
    return [make_table(labels, name=name, product=[name] * len(labels)) for name, labels in sizes.items()]


@pytest.fixture
def written(cut, sources, tmp_path):
    """Write tables and a selection and run the step: written("random") -> its folder."""

    def run(arm: str, samples: str = "", target: str = "", products: tuple[str, ...] = ("P1", "P2")) -> Path:
        for number, (source, product) in enumerate(zip(sources, products, strict=True)):
            source.with_rows(source.rows.assign(product=product)).write(tmp_path / f"{number}.parquet")
        candidates = {"P1/dent": 6, "P1/mold": 4, "P2/dent": 3, "P2/mold": 9}
        told = {"chosen": ["P1/dent", "P2/mold"], "candidates": candidates, "budget": 16}
        (tmp_path / SELECTION).write_text(json.dumps(told))
        out, paths = tmp_path / arm, [str(tmp_path / f"{number}.parquet") for number in range(len(sources))]
        train_transfer(
            samples or str(cut / "samples.parquet"), target or str(cut / "target.parquet"), paths, str(tmp_path), arm,
            "h" * 64, CUT, FAST, 0, str(tmp_path / "store"), str(out / "model"), str(out / "evaluation"),
        )  # fmt: skip
        return out

    return run


def test_the_step_trains_evaluates_and_writes_what_it_learnt_from(written, cut, capsys):
    out = written("dataonomy")
    told = json.loads((out / "evaluation" / EVALUATION).read_text())
    assert (told["arm"], told["sources"], told["samples"]) == ("dataonomy", ["P1/dent", "P2/mold"], 15)
    assert (told["weights"], told["network"]) == ("random", FAST["backbone"]["network"])
    assert (told["defective"], told["clean"]) == (2, 2)
    assert 0 <= told["tpr_low"] <= told["tpr"] <= told["tpr_high"] <= 1
    assert 0 <= told["average_precision"] <= 1
    assert "the network started from weights that are random" in capsys.readouterr().out

    rows, fitted = pd.read_parquet(out / "evaluation" / PROBABILITIES), load_fitted(out / "model")
    assert fitted.sources == ("P1/dent", "P2/mold")
    table = read_samples(cut / "target.parquet", "patches")
    assert told["target_samples"] == int((table.rows["fold"] == 2).sum())
    assert sorted(rows["id"]) == sorted(table.rows["id"][table.rows["fold"] < 2])
    place = {name: position for position, name in enumerate(table.rows["id"])}
    clean = table.classes.index(table.clean_class)
    clean_N = predict(fitted, table, np.array([place[name] for name in rows["id"]]))[:, clean]
    np.testing.assert_allclose(rows["probability"], 1 - clean_N, atol=1e-6)


def test_an_image_is_judged_by_every_window_of_a_grid_over_it(written, cut):
    import cv2

    out = written("none")
    told = json.loads((out / "evaluation" / EVALUATION).read_text())
    images, fitted = pd.read_parquet(out / "evaluation" / IMAGES), load_fitted(out / "model")
    assert images["fold"].value_counts().to_dict() == {0: 4, 1: 4}
    samples = read_samples(cut / "samples.parquet", "images").rows.set_index("id")
    for row in images.itertuples():
        pixels = cv2.imread(str(cut / samples.loc[row.image, "image"]), cv2.IMREAD_GRAYSCALE)
        parts = [pixels[y : y + 32, x : x + 32] for y in (0, 32, 64) for x in (0, 32, 64)]
        told_N = run_defective(fitted)(np.stack([as_patch(part, 32) for part in parts]))
        assert row.probability == pytest.approx(told_N.max(), abs=1e-5)
        assert row.defective == (samples.loc[row.image, "label"] == "dent")
    test = images[images["fold"] == 0]
    rejected = test["probability"] >= told["threshold"]
    assert told["tpr"] == pytest.approx(rejected[test["defective"]].mean())
    assert told["tnr"] == pytest.approx((~rejected[~test["defective"]]).mean())


def test_where_test_images_are_annotated_decides_nothing(written, cut, tmp_path):
    before = pd.read_parquet(written("none") / "evaluation" / IMAGES)
    samples, target = (read_samples(cut / f"{name}.parquet", kind) for name, kind in
                       (("samples", "images"), ("target", "patches")))  # fmt: skip
    # Other windows of the test images: as if their masks lay elsewhere.
    moved = target.rows[(target.rows["fold"] != 0) | ~target.rows["image"].duplicated()]
    target.with_rows(moved).write(tmp_path / "moved.parquet")
    samples.with_rows(samples.rows).write(tmp_path / "samples.parquet")
    again = written("none", str(tmp_path / "samples.parquet"), str(tmp_path / "moved.parquet"))
    pd.testing.assert_frame_equal(pd.read_parquet(again / "evaluation" / IMAGES), before)


def test_the_model_is_exported_as_any_classifier(written, cut):
    out = written("none")
    assert json.loads((out / "evaluation" / EVALUATION).read_text())["sources"] == []
    extract = ExtractSettings().model_dump()
    export_model(str(cut / "target.parquet"), str(out / "model"), "transfer", extract, str(out / "bundle"))
    assert (out / "bundle" / "bundle.zip").is_file()


def _unnamed(table):
    return replace(table, clean_class="")


def _without_validation(table):
    return table.with_rows(table.rows[table.rows["fold"] != 1])


def _without_clean_validation(table):
    return table.with_rows(table.rows[(table.rows["fold"] != 1) | (table.rows["label"] == "defect")])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_unnamed, "class without defect, got none"),
        (_without_validation, "test_fold must be one of"),
        (_without_clean_validation, "a threshold needs defective and clean validation images, got 2 and 0"),
    ],
)
def test_what_cannot_be_evaluated_is_refused_before_training(written, cut, tmp_path, change, told):
    change(read_samples(cut / "target.parquet", "patches")).write(tmp_path / "changed.parquet")
    with pytest.raises(DataError, match=told):
        written("all", target=str(tmp_path / "changed.parquet"))
    assert not (tmp_path / "store").exists()


def test_a_source_of_the_targets_product_is_refused_before_training(written, tmp_path):
    with pytest.raises(DataError, match="other products than the target, got T as both"):
        written("all", products=("T", "P2"))
    assert not (tmp_path / "store").exists()
