"""Proposals of the current model as a step."""

import pytest

from glassline.errors import DataError, SettingsError
from glassline.steps.propose_labels import propose_labels


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return one store for all tests: a new one takes seconds to set up."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(autouse=True)
def tracked(store, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def _propose(folder, tmp_path, form="cvat", captures_hash="", model="classical"):
    settings = {"depth_window": [60.0, 1200.0]}
    propose_labels(str(folder), captures_hash, form, model, settings, str(tmp_path / "out"))


def test_proposals_are_written_whole(marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    _propose(folder, tmp_path)
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["annotations.xml", "images/G0000_clean_00.png"]


def test_bad_arguments_write_nothing(marked_captures, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    with pytest.raises(SettingsError, match="must be one of coco, voc, cvat, label-studio, got 'yolo'"):
        _propose(folder, tmp_path, form="yolo")
    with pytest.raises(SettingsError, match="model must be one of"):
        _propose(folder, tmp_path, model="unet")
    with pytest.raises(DataError, match="must not change"):
        _propose(folder, tmp_path, captures_hash="0000")
    assert not (tmp_path / "out").exists()
