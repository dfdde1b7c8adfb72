"""Importer of captures with their labels."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.data.importers import read_source, source_hash
from glassline.errors import DataError
from glassline.vision.objects import draw_objects


@pytest.fixture
def captures(write_labelled: Callable[..., Path], tmp_path: Path) -> Path:
    return write_labelled(tmp_path / "captures", glasses=3, size_px=96)


def _edit(folder: Path, edit: Callable[[dict], None]) -> None:
    labels = json.loads((folder / "labels.json").read_text())
    edit(labels)
    (folder / "labels.json").write_text(json.dumps(labels))


def _rewrite(folder: Path, glass: str) -> None:
    """Capture a zone again: other pixels, whole."""
    captures, ref = open_captures(folder), ZoneRef(glass, "clean", 0)
    meta, frames_SHW = captures.meta(ref), captures.read(ref)
    for path in sorted((folder / ref.path).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    (folder / ref.path).rmdir()
    open_captures(folder).write(meta, frames_SHW + np.uint16(1))


def test_captures_give_one_row_per_zone_with_what_the_rig_wrote(captures: Path) -> None:
    table = read_source(captures, "captures")
    assert table.root == str(captures)
    assert table.rows["image"].tolist() == [f"G000{n}.zarr/clean-00" for n in range(3)]
    row = table.rows.iloc[0]
    assert (row["x_mm"], row["y_mm"], row["pitch_um"], row["zone"]) == (5.0, 10.0, 10.0, "0")
    assert (row["group"], row["product"], row["cycle"]) == ("G0000", "P1", "2026a")
    assert (row["width_px"], row["height_px"], row["bit_depth"]) == (96, 96, 12)


def test_captures_keep_the_order_of_classes_and_judge_every_candidate(captures: Path) -> None:
    table = read_source(captures, "captures")
    assert (table.classes, table.clean_class) == (("scratch", "dent", "control"), "control")
    assert table.rows["label"].tolist() == ["scratch", "dent", "control"]
    assert table.rows["objects"][2] == "[]"  # not "": a zone without defects is no unit of its own


def test_captures_keep_the_masks_as_run_lengths(captures: Path) -> None:
    objects = json.loads(read_source(captures, "captures").rows["objects"][0])
    index_HW = draw_objects(objects, (96, 96))
    assert int(index_HW.sum()) == 24 * 4


def test_captures_are_read_from_the_label_file_itself(captures: Path) -> None:
    assert len(read_source(captures / "labels.json", "captures").rows) == 3


def test_captures_refuse_a_folder_without_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"one label file, labels.json or truth.json, got none"):
        read_source(tmp_path, "captures")


def test_captures_refuse_two_label_files(captures: Path) -> None:
    (captures / "truth.json").write_text("{}")
    with pytest.raises(DataError, match="name the file itself"):
        read_source(captures, "captures")


def test_captures_name_every_missing_zone(captures: Path) -> None:
    for name in ("G0000", "G0002"):
        (captures / f"{name}.zarr" / "clean-00" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"(?s)G0000.zarr/clean-00.*G0002.zarr/clean-00"):
        read_source(captures, "captures")


def test_captures_refuse_a_zone_that_was_captured_again(captures: Path) -> None:
    _rewrite(captures, "G0001")
    with pytest.raises(DataError, match="must be those that were labelled"):
        read_source(captures, "captures")


def test_captures_refuse_labels_of_another_size(captures: Path) -> None:
    _edit(captures, lambda labels: labels["zones"][1].update(width_px=90))
    with pytest.raises(DataError, match=r"G0001.zarr/clean-00.*96 x 96 px.*90 x 96 px"):
        read_source(captures, "captures")


def test_captures_refuse_a_box_outside_and_runs_that_do_not_fill_the_zone(captures: Path) -> None:
    def edit(labels: dict) -> None:
        labels["zones"][0]["objects"][0]["bbox"][0] = 5000
        labels["zones"][1]["objects"][0]["segmentation"]["counts"] = "11"

    _edit(captures, edit)
    with pytest.raises(DataError, match=r"(?s)G0000.*must lie inside.*G0001.*run lengths must add up"):
        read_source(captures, "captures")


def test_captures_refuse_a_zone_that_is_labelled_twice(captures: Path) -> None:
    _edit(captures, lambda labels: labels["zones"].append(labels["zones"][0]))
    with pytest.raises(DataError, match="must be listed once"):
        read_source(captures, "captures")


def test_captures_refuse_labels_of_no_zone(captures: Path) -> None:
    _edit(captures, lambda labels: labels["zones"].clear())
    with pytest.raises(DataError, match=r"must be a label file of glassline .*zones.*at least 1"):
        read_source(captures, "captures")


def test_source_hash_of_captures_follows_labels_and_zones_but_not_the_place(
    captures: Path, write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    first = source_hash(captures, "captures")
    assert first == source_hash(write_labelled(tmp_path / "copy", glasses=3, size_px=96), "captures")
    _edit(captures, lambda labels: labels["zones"][0]["objects"][0].update(label="dent"))
    assert source_hash(captures, "captures") != first


def test_source_hash_of_captures_reads_no_pixels(captures: Path) -> None:
    for chunk in captures.glob("*.zarr/*/c/**/*"):
        if chunk.is_file():
            chunk.write_bytes(b"")
    assert len(source_hash(captures, "captures")) == 64
