"""A reference set is trusted only beside the graph and the data that it was made with."""

from dataclasses import replace

import numpy as np
import pytest

from glassline.deploy.bundle import Bundle, load_bundle
from glassline.deploy.export import to_onnx
from glassline.deploy.references import REFERENCES, ReferenceSet, read_references
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError
from glassline.models.registry import build_model
from tests.deploy.metric_bundle import level_patches, metadata, metric_fitted, write_metric_bundle


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Bundle:
    from tests.deploy.conftest import manifest

    folder = tmp_path_factory.mktemp("bundle")
    write_metric_bundle(folder / "a.zip", manifest.__wrapped__())
    return load_bundle(folder / "a.zip")


def _with(bundle: Bundle, content: bytes | None) -> Bundle:
    files = {name: value for name, value in bundle.files.items() if name != REFERENCES}
    return replace(bundle, files=files if content is None else {**files, REFERENCES: content})


def test_a_reference_set_survives_a_round_trip(whole):
    found = read_references(whole)
    assert read_references(_with(whole, found.to_parquet())).to_parquet() == found.to_parquet()
    assert found.inputs(("mold", "dent"))["member"].sum(0).tolist() == [6, 6]
    np.testing.assert_allclose(np.exp(found.inputs(("mold", "dent"))["log_prior"]), [0.2, 0.8], rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trained_on": "f" * 64}, r"must come from the samples that the network was trained on, data hash d+, got f+"),
        ({"graph_sha256": "f" * 64}, "must be embedded by the bundle's own graph"),
        ({"labels": ("crack",) * 12}, r"must be of the bundle's classes \['dent', 'mold'\], got \['crack'\]"),
        ({"prior": {"dent": 1.0}}, r"must be of the bundle's classes"),
        ({"embedding_RE": np.full((12, 16), np.nan, np.float32)}, r"must hold embeddings in \[0, 1\]"),
        ({"embedding_RE": np.full((12, 16), 1e30, np.float32)}, r"must hold embeddings in \[0, 1\]"),
        ({"prior": {"dent": 0.0, "mold": 1.0}}, "priors above 0"),
        ({"prior": {"dent": float("nan"), "mold": 1.0}}, "priors above 0"),
    ],
)
def test_references_of_something_else_are_refused(whole, change, message):
    other: ReferenceSet = replace(read_references(whole), **change)
    with pytest.raises(ModelError, match=message):
        OnnxClassifier(_with(whole, other.to_parquet()))


@pytest.mark.parametrize(
    ("content", "message"), [(None, "must hold reference.parquet"), (b"PAR1", "must be as it was")]
)
def test_missing_and_damaged_references_are_refused(whole, content, message):
    with pytest.raises(ModelError, match=message):
        read_references(_with(whole, content))


@pytest.mark.parametrize(
    "change",
    [
        {"embedding_RE": np.full((12, 5), 0.5, np.float32)},
        {"embedding_RE": np.full((1, 16), 0.5, np.float32), "labels": ("dent",), "data_hashes": ("d",)},
    ],
)
def test_references_that_the_graph_cannot_take_are_refused(whole, change):
    classifier = OnnxClassifier(_with(whole, replace(read_references(whole), **change).to_parquet()))
    with pytest.raises(ModelError, match="the runtime cannot run this bundle"):
        classifier.nearest_distance(level_patches("dent", 2), metadata(2))


def test_a_bundle_of_another_system_tells_no_distance(tmp_path, manifest):
    fitted = metric_fitted()
    files = {"model.onnx": to_onnx(replace(fitted, model=build_model("cnn", 112, 3, 2, fitted.settings).eval()))}
    classifier = OnnxClassifier(Bundle(manifest, {}, files))
    with pytest.raises(ModelError, match=r"distance is told by a metric network \(system B\), got a bundle of cnn"):
        classifier.nearest_distance(level_patches("dent", 2), metadata(2))
