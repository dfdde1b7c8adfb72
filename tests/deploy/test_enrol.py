"""Classes that are added to a bundle without training, and what may not be added."""

import numpy as np
import pytest
import torch

from glassline.deploy.bundle import load_bundle
from glassline.deploy.enrol import enrol_class, enrol_images
from glassline.deploy.references import read_references
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import DataError, ModelError
from tests.deploy.metric_bundle import LEVELS, level_patches, metadata, write_metric_bundle


def _enrol(path, label="fold", count=5):
    return enrol_class(
        load_bundle(path), label, level_patches("fold", count), metadata(count), "e" * 64, path.with_name("grown.zip")
    )


@pytest.mark.parametrize("head", ["knn", "centroid"])
def test_an_enrolled_class_is_found_and_the_others_stay(tmp_path, manifest, head):
    write_metric_bundle(tmp_path / "a.zip", manifest, head=head)
    before = (tmp_path / "a.zip").read_bytes()
    _enrol(tmp_path / "a.zip")
    bundle = load_bundle(tmp_path / "grown.zip")
    patch_NHW = np.concatenate([level_patches(one, 3) for one in LEVELS])
    told_N = OnnxClassifier(bundle).predict(patch_NHW, metadata(9)).argmax(1)
    assert [bundle.manifest.classes[index] for index in told_N] == ["dent"] * 3 + ["mold"] * 3 + ["fold"] * 3
    assert bundle.manifest.enrolled == ("fold",)
    assert b"`fold` from 5 references" in bundle.files["card.md"]
    assert bundle.thresholds == {
        "least_probability": {"dent": 0.0, "mold": 0.0, "fold": 0.0}, "unknown_distance": 0.5,
    }  # fmt: skip
    assert (tmp_path / "a.zip").read_bytes() == before


def test_references_tell_where_they_come_from(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    _enrol(tmp_path / "a.zip")
    references = read_references(load_bundle(tmp_path / "grown.zip"))
    assert references.labels == ("dent",) * 6 + ("mold",) * 6 + ("fold",) * 5
    assert references.data_hashes == (manifest.data_hash,) * 12 + ("e" * 64,) * 5
    assert references.prior == pytest.approx({"dent": 0.8, "mold": 0.2, "fold": 0.4})


def test_what_was_enrolled_is_near_and_was_not_before(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    _enrol(tmp_path / "a.zip")
    distances = [
        OnnxClassifier(load_bundle(tmp_path / name)).nearest_distance(level_patches("fold", 8)[5:], metadata(3))
        for name in ("a.zip", "grown.zip")
    ]
    assert distances[0].min() > 3 * distances[1].max()


@pytest.mark.parametrize("name", ["triplet", "siamese"])
def test_embedding_and_distance_are_those_of_torch(tmp_path, manifest, name):
    fitted = write_metric_bundle(tmp_path / "a.zip", manifest, name)
    classifier, patch_NHW = OnnxClassifier(load_bundle(tmp_path / "a.zip")), level_patches("fold", 4)
    with torch.no_grad():
        embedding_NE = fitted.model.embed(torch.from_numpy(patch_NHW).float(), torch.zeros(4, 3))
        distance_N = fitted.model.distance(embedding_NE, fitted.model.reference_RE).amin(1)
    np.testing.assert_allclose(classifier.embed(patch_NHW, metadata(4)), embedding_NE, atol=1e-4)
    np.testing.assert_allclose(classifier.nearest_distance(patch_NHW, metadata(4)), distance_N, atol=1e-4)
    assert classifier.embed(patch_NHW[:0], metadata(0)).shape == (0, 16)


@pytest.mark.parametrize(
    ("label", "count"),
    [("dent", 5), ("Dent", 5), ("Unknown", 5), ("fold", 0), ("", 5), ("a\nb", 5), ("`x`", 5), ("x" * 101, 5)],
)
def test_enrol_refuses_a_known_name_and_no_patch(tmp_path, manifest, label, count):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    with pytest.raises(DataError, match=r"a new class needs (a new name|at least one patch)|a class's name must be"):
        _enrol(tmp_path / "a.zip", label, count)
    assert not (tmp_path / "grown.zip").exists()


def test_enrol_refuses_a_head_that_would_have_to_be_trained(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest, head="linear")
    with pytest.raises(ModelError, match="the head linear has learnt its classes"):
        _enrol(tmp_path / "a.zip")


def test_a_model_without_references_is_refused(tmp_path, manifest):
    write_metric_bundle(tmp_path / "a.zip", manifest)
    bundle = load_bundle(tmp_path / "a.zip")
    other = type(bundle)(bundle.manifest.model_copy(update={"system": "A", "model": "cnn"}), {}, bundle.files)
    with pytest.raises(ModelError, match=r"into a metric network \(system B\), got a bundle of cnn"):
        enrol_class(other, "fold", level_patches("fold", 5), metadata(5), "e" * 64, tmp_path / "grown.zip")


def test_masks_say_which_candidates_are_enrolled(tmp_path, manifest):
    """Every image has a bright mark under its mask, and brighter dust beside it."""
    import cv2

    from glassline.data.importers import read_source
    from glassline.vision.patches import ExtractSettings

    rng, folder = np.random.default_rng(0), tmp_path / "images" / "MT_fold" / "Imgs"
    folder.mkdir(parents=True)
    for number in range(4):
        grey_HW, mask_HW = rng.normal(100, 3, (200, 240)), np.zeros((200, 240), np.uint8)
        for x_px in (40, 110):
            grey_HW[30:40, x_px : x_px + 10] = 250
        grey_HW[120:132, 150:162], mask_HW[120:132, 150:162] = 190, 255
        cv2.imwrite(str(folder / f"{number}.jpg"), grey_HW.clip(0, 255).astype(np.uint8))
        cv2.imwrite(str(folder / f"{number}.png"), mask_HW)
    table = read_source(tmp_path / "images", "mask-folder")
    write_metric_bundle(tmp_path / "a.zip", manifest)
    bundle = load_bundle(tmp_path / "a.zip")
    settings, attributes = ExtractSettings().model_dump(mode="json"), ("x_mm", "y_mm", "attr_area_log")
    told = {"preprocessing": {"extract": settings}, "attributes": attributes}
    bundle = type(bundle)(bundle.manifest.model_copy(update=told), bundle.thresholds, bundle.files)
    _, patches, images = enrol_images(bundle, table, table.rows["label"].iloc[0], tmp_path / "b.zip", lambda *_: None)
    assert (patches, images) == (4, 4)
