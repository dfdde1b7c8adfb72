"""What stands behind the name of the current model."""

import dataclasses

import numpy as np
import pytest

from glassline.deploy.segmenter import Segmenter
from glassline.errors import DataError, ModelError
from glassline.vision.current_model import current_model, is_known, model_sha256
from glassline.vision.light_states import respond
from glassline.vision.scratches import FindSettings
from pipelines.capture_settings import CollectSettings


@pytest.fixture
def bright(segmenter_bundle, monkeypatch):
    """The model of a bundle whose network takes what is bright for a scratch."""

    def run(sigmas_BSHW):
        blocks = sigmas_BSHW[0].max(axis=0).reshape(sigmas_BSHW.shape[2] // 2, 2, -1, 2)
        return (blocks.max(axis=(1, 3)) > 30).astype(np.float32)[None]

    monkeypatch.setattr("glassline.deploy.segmenter.open_graph", lambda *more, **given: ("fake", run))
    monkeypatch.setattr("glassline.deploy.segmenter.bundle_thresholds", lambda *more: FindSettings(least_points=1))
    return current_model(str(segmenter_bundle))


def test_network_of_a_bundle_segments_a_zone(bright, dark_zone, zone_meta):
    frames_SHW, scratches_HW = dark_zone(scratches=1, dust=0, size_px=129)
    meta = zone_meta()
    found = bright.segment(frames_SHW, respond(frames_SHW, meta.pattern, meta.azimuths_deg), meta)
    assert bright.label == "scratch"
    assert found.mask_HW.shape == found.score_HW.shape == (129, 129)
    assert found.mask_HW[scratches_HW].mean() > 0.9
    assert found.mask_HW.sum() < 3 * scratches_HW.sum()
    assert found.candidates_HW[found.mask_HW].all()


def test_network_refuses_a_zone_of_other_light_states(bright, dark_zone, zone_meta):
    frames_SHW, _ = dark_zone(size_px=64)
    meta = zone_meta(azimuths_deg=(0, 90), exposure_us=(1, 1))
    with pytest.raises(DataError, match="must have the light states"):
        bright.segment(frames_SHW[:2], respond(frames_SHW[:2], "GRBG", (0, 90)), meta)


def test_network_refuses_a_black_zone(bright, zone_meta):
    frames_SHW, meta = np.zeros((6, 64, 64), np.uint16), zone_meta()
    with pytest.raises(DataError, match=r"clean-00 must show the sensor's noise"):
        bright.segment(frames_SHW, respond(frames_SHW, meta.pattern, meta.azimuths_deg), meta)


def test_bundle_of_another_system_is_no_current_model(segmenter_bundle, monkeypatch):
    def refused(bundle):
        return Segmenter(dataclasses.replace(bundle, manifest=bundle.manifest.model_copy(update={"system": "A"})))

    monkeypatch.setattr("glassline.deploy.segmenter.Segmenter", refused)
    with pytest.raises(ModelError, match=r"system C"):
        current_model(str(segmenter_bundle))


def test_labels_are_made_anew_when_a_bundle_or_its_thresholds_change(tmp_path):
    bundle = tmp_path / "bundle.zip"
    hashes = set()
    for content in (b"one", b"other"):
        bundle.write_bytes(content)
        hashes.add(CollectSettings(label_model=str(bundle)).arguments("data", "hash", "store")["label_model_sha256"])
    assert len(hashes) == 2
    assert model_sha256("classical") == ""


def test_names_are_models_or_bundles_that_are_there(segmenter_bundle, tmp_path):
    assert [is_known(name) for name in ("classical", "unet", str(segmenter_bundle))] == [True, False, True]
    assert not is_known(str(tmp_path / "bundle.zip"))
    assert CollectSettings(label_model=str(segmenter_bundle)).label_model == str(segmenter_bundle)
    with pytest.raises(ValueError, match=r"label_model must be one of classical, or a bundle.zip that is there"):
        CollectSettings(label_model=str(tmp_path / "bundle.zip"))
