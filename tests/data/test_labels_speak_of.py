"""Labels must speak of the images that a cycle is said to be of."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from glassline.data.importers.places import check_labels_speak_of, check_there
from glassline.errors import DataError


@pytest.fixture
def coco(tmp_path: Path) -> Callable[[list[str]], Path]:
    """Write images in `images/` and a COCO file that names some: coco(["a.png"])."""

    def write(names: list[str]) -> Path:
        (tmp_path / "images").mkdir()
        cv2.imwrite(str(tmp_path / "images" / "a.png"), np.zeros((8, 8), np.uint8))
        images = [{"id": n, "file_name": name, "width": 8, "height": 8} for n, name in enumerate(names)]
        told = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "control"}]}
        (tmp_path / "labels.json").write_text(json.dumps(told))
        return tmp_path / "labels.json"

    return write


def test_labels_of_the_images_below_the_folder_are_taken(coco: Callable[[list[str]], Path], tmp_path: Path) -> None:
    labels = str(coco(["a.png"]))
    check_labels_speak_of(str(tmp_path / "images"), labels, "coco")
    check_labels_speak_of(str(tmp_path), labels, "coco")


def test_labels_of_other_images_are_refused(coco: Callable[[list[str]], Path], tmp_path: Path) -> None:
    labels = str(coco(["a.png"]))
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match=r"below .*other.*speaks of .*a\.png"):
        check_labels_speak_of(str(tmp_path / "other"), labels, "coco")


def test_labels_of_nothing_are_refused(coco: Callable[[list[str]], Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="at least one image"):
        check_labels_speak_of(str(tmp_path), str(coco([])), "coco")


def test_labels_of_other_captures_are_refused(
    marked_captures: Callable[..., tuple[Path, list[np.ndarray]]], tmp_path: Path
) -> None:
    captures, _ = marked_captures([(0, 0)])
    told = {
        "captures": "captures", "captures_hash": "x", "classes": ["control"],
        "zones": [{"glass": "G0000", "zone": 0, "width_px": 192, "height_px": 192}],
    }  # fmt: skip
    (tmp_path / "labels.json").write_text(json.dumps(told))
    check_labels_speak_of(str(captures), str(tmp_path / "labels.json"), "captures")
    with pytest.raises(DataError, match="must speak of images below"):
        check_labels_speak_of(str(tmp_path / "elsewhere"), str(tmp_path / "labels.json"), "captures")


@pytest.mark.parametrize("missing", ["labels", "captures"])
def test_what_is_missing_is_told(tmp_path: Path, missing: str) -> None:
    places = {"labels": str(tmp_path), "captures": str(tmp_path), missing: str(tmp_path / "none")}
    with pytest.raises(DataError, match=f"{missing} must be an existing"):
        check_there(**places)
