"""Proposals of the current model as a step."""

import pytest

from glassline.errors import DataError, SettingsError, StorageError
from glassline.steps.propose_labels import propose_labels


def _propose(zones, tmp_path, form="cvat", model="classical"):
    settings = {"depth_window": [60.0, 1200.0]}
    propose_labels(zones, form, model, settings, str(tmp_path / "out"))


def test_proposals_are_written_whole(marked_captures, zone_list, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    _propose(zone_list(folder), tmp_path)
    written = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert written == ["annotations.xml", "images/G0000_clean_00.png"]


def test_bad_arguments_write_nothing(marked_captures, zone_list, tmp_path):
    folder, _ = marked_captures([(0, 0)])
    zones = zone_list(folder)
    with pytest.raises(SettingsError, match="must be one of coco, voc, cvat, label-studio, got 'yolo'"):
        _propose(zones, tmp_path, form="yolo")
    with pytest.raises(SettingsError, match="model must be one of"):
        _propose(zones, tmp_path, model="unet")
    with pytest.raises(StorageError, match=r"none\.json"):
        _propose(str(tmp_path / "none.json"), tmp_path)
    (tmp_path / "other.json").write_text('{"zones": []}')
    with pytest.raises(DataError, match="must be a list of zones"):
        _propose(str(tmp_path / "other.json"), tmp_path)
    assert not (tmp_path / "out").exists()
