"""The severity detector, fitted on images that it can learn in seconds."""

import numpy as np
import pytest
import torch

from glassline.data.importers import read_source
from glassline.data.store import open_store
from glassline.deploy.run_detector import run_detector
from glassline.errors import DataError, ModelError
from glassline.steps.train_regression import severity_of
from glassline.training.fitted_detector import load_detector, save_detector
from glassline.training.regression import fit_detector
from glassline.training.settings import RegressionSettings
from glassline.training.severity_stream import SeverityStream
from glassline.vision.annotated_images import AnnotatedImages

SETTINGS = RegressionSettings(patch_px=64, epochs=3, patches=32, batch_size=4, learning_rate=1e-2, threads=1)


@pytest.fixture(scope="module")
def images(write_marked_images, tmp_path_factory):
    return AnnotatedImages(read_source(write_marked_images(tmp_path_factory.mktemp("set")), "mask-folder"))


@pytest.fixture(scope="module")
def fitted(images, tmp_path_factory):
    return fit_detector(
        images, list(range(10)), [10, 11], SETTINGS, 0, open_store(tmp_path_factory.mktemp("a")), lambda *_: None
    )


def test_severity_stream_follows_seed_and_place(images):
    streams = [SeverityStream(images, range(10), SETTINGS, 0, augment=True) for _ in range(2)]
    one, other = streams[0][5], streams[1].__getitems__([4, 5])
    assert torch.equal(one["image_BDPP"][0], other["image_BDPP"][1])
    assert torch.equal(one["severity_BRC"][0], other["severity_BRC"][1])
    assert not torch.equal(one["image_BDPP"][0], other["image_BDPP"][0])


def test_severity_stream_draws_defects_as_often_as_told(images):
    always = SeverityStream(images, range(10), SETTINGS.model_copy(update={"defect_share": 1.0}), 0, augment=True)
    assert all((patch["severity_BRC"] > 0).any() for patch in (always[place] for place in range(12)))


def test_severity_stream_refuses_images_without_a_defect(images):
    clean = [number for number in range(len(images)) if not images.has_any(number)]
    with pytest.raises(DataError, match="at least one image with an annotated defect"):
        SeverityStream(images, clean, SETTINGS, 0, augment=True)


def test_severity_stream_refuses_defects_that_fill_every_patch(images, monkeypatch):
    monkeypatch.setattr("glassline.training.severity_stream.severity_patch", lambda *_: None)
    with pytest.raises(DataError, match="patches must be larger than defects, got 64 px"):
        SeverityStream(images, range(10), SETTINGS, 0, augment=True)[0]


def test_fit_detector_tells_dents_from_clean_glass(images, fitted):
    run = run_detector(fitted)
    dent = next(number for number in range(10) if images.has_any(number))
    severity_RC = severity_of(images.pixels(dent), run, 4)
    inside_RC = images.annotated(dent).mask_HW.reshape(24, 4, 24, 4).mean(axis=(1, 3)) == 1
    assert severity_RC[inside_RC].mean() > 3 * severity_RC[~inside_RC].mean()


def test_fit_detector_is_repeatable_and_resumes(images, fitted, tmp_path):
    class Stop(Exception):
        pass

    def stop(epoch, values):
        if epoch == 1:
            raise Stop

    with pytest.raises(Stop):
        fit_detector(images, list(range(10)), [10, 11], SETTINGS, 0, open_store(tmp_path), stop)
    again = fit_detector(images, list(range(10)), [10, 11], SETTINGS, 0, open_store(tmp_path), lambda *_: None)
    for name, value in fitted.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], value, msg=name)


def test_fit_detector_refuses_a_group_on_both_sides(images, tmp_path):
    with pytest.raises(DataError, match="trained or validated on, not both"):
        fit_detector(images, [0, 1], [1], SETTINGS, 0, open_store(tmp_path), lambda *_: None)


def test_detector_is_read_as_it_was_written(fitted, tmp_path):
    save_detector(fitted, tmp_path / "model")
    again = load_detector(tmp_path / "model")
    image = torch.zeros(1, 1, 64, 64)
    with torch.no_grad():
        np.testing.assert_allclose(again.model(image), fitted.model(image), atol=1e-5)  # other memory layout
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="run train_regression again"):
        load_detector(tmp_path / "model")


def test_fit_detector_on_two_devices_normalises_by_the_whole_batch(images, tmp_path):
    settings = SETTINGS.model_copy(update={"learning_rate": 1e-5, "epochs": 1, "patches": 16})
    store = open_store(tmp_path)
    one, two = (
        fit_detector(
            images, list(range(10)), [10, 11], settings.model_copy(update={"devices": devices}), 0, store, print
        )
        for devices in (1, 2)
    )
    np.testing.assert_allclose(two.history.to_numpy(), one.history.to_numpy(), rtol=1e-4)
