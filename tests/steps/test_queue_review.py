"""The way of a doubtful sample: into the queue, decided on, applied, extracted, and not asked for again."""

import json
import re

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline import tracking
from glassline.data.importers import read_source
from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds
from glassline.data.storage import sha256_file
from glassline.errors import DataError
from glassline.steps.apply_reviews import apply_reviews
from glassline.steps.queue_review import queue_review
from glassline.training.failed_fit import write_failure
from glassline.vision.patches import ExtractSettings, extract_patches
from tests.tracked import without_run

CLASSES = ("dent", "mold", "control")


@pytest.fixture
def folder(tmp_path):
    """Return a COCO set of six images of 160 px, each with a marked spot and an unmarked one."""
    rng, images, annotations = np.random.default_rng(0), [], []
    (tmp_path / "data" / "images").mkdir(parents=True)
    for number in range(6):
        pixels = rng.normal(120, 2, (160, 160)).clip(0, 255).astype(np.uint8)
        cv2.circle(pixels, (40, 40 + number), 6, 200, -1)
        cv2.circle(pixels, (120, 110), 4, 50, -1)
        cv2.imwrite(str(tmp_path / "data" / "images" / f"{number}.png"), pixels)
        images.append({"id": number, "file_name": f"{number}.png", "width": 160, "height": 160})
        status = {"status": "contested"} if number == 3 else {}
        annotations.append(
            {"id": number, "image_id": number, "category_id": number % 2 + 1, "bbox": [33, 33 + number, 14, 14],
             "attributes": status}
        )  # fmt: skip
    categories = [{"id": number, "name": name} for number, name in enumerate(CLASSES, start=1)]
    told = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "data" / "coco.json").write_text(json.dumps(told))
    read_source(tmp_path / "data", "coco", product="P1", cycle="2026b").write(tmp_path / "samples.parquet")
    return tmp_path


def _extract(folder, samples="samples.parquet"):
    images = read_samples(folder / samples, "images")
    patches, _ = extract_patches(images, folder / "store", ExtractSettings(), lambda *_: None)
    table = assign_folds(patches, 3, seed=0)
    table = table.with_rows(table.rows.assign(augmentation="", origin=table.rows["id"]))
    table.write(folder / "augmented.parquet")
    return table


def _predict(folder, table, doubtful=()):
    """Write predictions of two models: sure of the label, but for the units named."""
    found = []
    for model in ("cnn", "mlp"):
        for row in table.rows.to_dict("records"):
            sure = row["unit"] not in doubtful
            p = {name: (0.98 if name == row["unit_label"] else 0.01) if sure else 1 / 3 for name in table.classes}
            predicted = row["unit_label"] if sure else {"cnn": "dent", "mlp": "mold"}[model]
            found.append(
                {"model": model, "fold": row["fold"], "unit": row["unit"], "group": row["group"],
                 "actual": row["unit_label"], "predicted": predicted, **{f"p_{name}": p[name] for name in p}}
            )  # fmt: skip
    (folder / "validated").mkdir(exist_ok=True)
    pd.DataFrame(found).to_parquet(folder / "validated" / "predictions.parquet")


def _queue(folder, samples="samples.parquet", explanations=(), **review):
    (folder / "promotion.json").write_text(json.dumps({"promoted": True, "candidate": "mlp"}))
    validated = [str(one) for one in (folder / "failed", folder / "validated") if one.exists()]
    queue_review(
        str(folder / "augmented.parquet"), str(folder / samples), validated, [], explanations,
        str(folder / "promotion.json"), review, str(folder / "queue"),
    )  # fmt: skip
    return pd.read_parquet(folder / "queue" / "queue.parquet")


def _shown(table, label):
    """Return the patches of a class, in order."""
    return table.rows[table.rows["label"] == label]


def test_queue_review_lists_reasons_place_and_picture(folder):
    table = _extract(folder)
    unsure = _shown(table, "control")["unit"].iloc[0]
    _predict(folder, table, [unsure])
    queue = _queue(folder).set_index("unit")
    assert set(queue.loc[unsure, "reasons"].split(", ")) == {"disagree", "threshold"}
    assert queue.loc[unsure, "predicted"] == "mold"
    x_px, y_px, width_px, height_px = queue.loc[unsure, ["x_px", "y_px", "width_px", "height_px"]]
    assert abs(x_px + width_px / 2 - 120) < 3
    assert abs(y_px + height_px / 2 - 110) < 3
    assert cv2.imdecode(np.frombuffer(queue.loc[unsure, "picture"], np.uint8), 0).shape == (336, 336)


def test_queue_review_asks_about_a_label_that_an_inspector_contested(folder):
    table = _extract(folder)
    _predict(folder, table)
    (row,) = _queue(folder).to_dict("records")
    assert (row["image"], row["label"], row["reasons"]) == ("images/3.png", "mold", "contested")
    assert row["text"] == "an inspector contested that this is mold"


def test_queue_review_asks_nothing_of_a_candidate_whose_training_failed(folder):
    _predict(folder, _extract(folder))
    write_failure(folder / "failed", "embeddings must differ")
    assert len(_queue(folder)) == 1


def test_queue_review_asks_where_the_model_looks_elsewhere(folder):
    table = _extract(folder)
    _predict(folder, table)
    first = _shown(table, "dent").iloc[0]
    (folder / "explained").mkdir()
    elsewhere = pd.DataFrame({"id": [first["id"]], "energy_share": [0.05]})
    elsewhere.to_parquet(folder / "explained" / "elsewhere.parquet")
    queue = _queue(folder, explanations=[str(folder / "explained")]).set_index("unit")
    assert queue.loc[first["unit"], "reasons"] == "elsewhere"


def test_queue_review_holds_at_most_so_many(folder):
    table = _extract(folder)
    _predict(folder, table, list(table.rows["unit"]))
    assert len(_queue(folder, most=4)) == 4


def test_queue_review_with_nothing_in_doubt_writes_an_empty_page(folder):
    table = _extract(folder)
    _predict(folder, table)
    rows = read_samples(folder / "samples.parquet", "images")
    plain = rows.rows["objects"].str.replace('"contested"', '"wiped"')
    rows.with_rows(rows.rows.assign(objects=plain)).write(folder / "samples.parquet")
    assert _queue(folder).empty
    assert "Nothing is in doubt" in (folder / "queue" / "review.html").read_text()


def _decide(folder, *lines):
    (folder / "decisions.csv").write_text("\n".join(["id,decision,label", *lines, ""]))
    return str(folder / "decisions.csv")


def _apply(folder, reviews, sha256=""):
    return apply_reviews(str(folder / "samples.parquet"), reviews, "csv", sha256, str(folder / "reviewed.parquet"))


def test_decisions_reach_the_next_extraction_and_leave_the_queue(folder):
    table = _extract(folder)
    _predict(folder, table, list(table.rows["unit"]))
    ids = _queue(folder).set_index("unit")["id"]
    dents, controls = _shown(table, "dent")["unit"], _shown(table, "control")["unit"]
    reviews = _decide(
        folder, f"{ids[dents.iloc[0]]},corrected,mold", f"{ids[dents.iloc[1]]},rejected,",
        f"{ids[controls.iloc[0]]},accepted,control", f"{ids[controls.iloc[1]]},corrected,dent",
    )  # fmt: skip
    _apply(folder, reviews)
    again = _extract(folder, "reviewed.parquet")
    label = again.rows.set_index("unit")["label"]
    assert (label[dents.iloc[0]], label[controls.iloc[0]], label[controls.iloc[1]]) == ("mold", "control", "dent")
    assert dents.iloc[1] not in label.index
    _predict(folder, again, list(again.rows["unit"]))
    left = set(_queue(folder, "reviewed.parquet")["unit"])
    assert left == set(table.rows["unit"]) - {*dents.iloc[:2], *controls.iloc[:2]}


def test_apply_reviews_without_decisions_passes_the_table_through(folder):
    content = _apply(folder, "")
    assert content == read_samples(folder / "samples.parquet", "images").content_hash()
    assert read_samples(folder / "reviewed.parquet", "images").content_hash() == content


def test_apply_reviews_tells_what_it_did(folder, capsys):
    table = _extract(folder)
    _predict(folder, table, list(table.rows["unit"]))
    identity = _queue(folder)["id"].iloc[0]
    _apply(folder, _decide(folder, f"{identity},rejected,"))
    told = capsys.readouterr().out
    assert "decisions of reviewers: 0 accepted, 0 corrected, 1 rejected" in told
    assert f"rejected samples are left out: {identity}" in told


@pytest.mark.parametrize("stated", [True, False])
def test_apply_reviews_leaves_the_hash_of_the_decisions_on_the_pipelines_run(folder, stated, monkeypatch):
    without_run(monkeypatch)
    run_id = tracking.create_pipeline_run("glassline-P1", "new_cycle", {}, (folder / "files").as_uri())
    reviews = _decide(folder)
    _apply(folder, reviews, sha256_file(reviews) if stated else "")
    tracking.close_pipeline_run("FINISHED")
    assert tracking.client().get_run(run_id).data.tags["reviews_hash"] == sha256_file(reviews)


def test_apply_reviews_refuses_decisions_that_changed_since_submission(folder):
    reviews = _decide(folder)
    _apply(folder, reviews, sha256_file(reviews))
    with pytest.raises(DataError, match="must not change between submission and import"):
        _apply(folder, reviews, "0" * 64)


def test_apply_reviews_names_the_file_and_the_record_of_other_data(folder):
    reviews = _decide(folder, "images/0.png@1.2.3.4~ffffffff,rejected,")
    with pytest.raises(DataError, match=re.escape(f"{reviews} cannot be applied: decisions.csv line 2: images/0.png")):
        _apply(folder, reviews)
