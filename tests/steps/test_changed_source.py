"""What a run was submitted with is what it reads: anything else is refused, by name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.data.importers import source_hash
from glassline.data.store import place_hash
from glassline.errors import DataError
from glassline.steps.import_images import import_images
from glassline.steps.import_labels import import_labels
from glassline.steps.ingest_captures import ingest_captures
from glassline.steps.merge_labels import merge_labels

OTHER = "0" * 64


def test_import_refuses_captures_that_changed_after_submission(
    write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    labelled = write_labelled(tmp_path / "captures", glasses=3, size_px=96)
    submitted = source_hash(labelled, "captures")
    arguments = (str(labelled), "captures", submitted, "", "", "", str(tmp_path / "samples.parquet"))
    import_images(*arguments)
    text = (labelled / "labels.json").read_text()
    (labelled / "labels.json").write_text(text.replace('"dent"', '"bump"'))
    with pytest.raises(DataError, match=f"must not change between submission and import.*{submitted[:12]}"):
        import_images(*arguments)


def test_import_reads_the_label_file_that_was_submitted_and_no_other_of_its_folder(
    write_image: Callable[..., Path], tmp_path: Path
) -> None:
    told = {"categories": [{"id": 1, "name": "dent"}], "annotations": []}
    for seed, name in enumerate(("a", "b")):
        image = {"id": 1, "file_name": write_image(f"{name}.png", seed).name, "width": 40, "height": 30}
        (tmp_path / f"{name}.json").write_text(json.dumps({**told, "images": [image]}))
    submitted = source_hash(tmp_path / "a.json", "coco")
    asked = ("coco", submitted, "", "", "clean", str(tmp_path / "samples.parquet"))
    import_images(str(tmp_path / "a.json"), *asked)
    with pytest.raises(DataError, match=r"b\.json must not change between submission and import"):
        import_images(str(tmp_path / "b.json"), *asked)


def test_import_of_labels_refuses_a_zone_that_was_captured_again(
    write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    labelled = write_labelled(tmp_path / "captures", glasses=3, size_px=96)
    other = write_labelled(tmp_path / "other", glasses=3, size_px=96, seed=1)
    (labelled / "G0001.zarr").rename(tmp_path / "old")
    (other / "G0001.zarr").rename(labelled / "G0001.zarr")
    with pytest.raises(DataError, match="must be those that were labelled"):
        import_labels(str(labelled / "labels.json"), str(tmp_path / "samples.parquet"))


def test_ingest_refuses_a_session_that_changed_after_submission(rig_session: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must not change between submission and ingest"):
        ingest_captures(str(rig_session), OTHER, str(tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()


def test_merge_refuses_annotations_that_changed_after_submission(
    rig_session: Path, zone_list: Callable[[Path], str], tmp_path: Path
) -> None:
    zones, annotations = zone_list(rig_session), str(rig_session.parent / "annotations.json")
    how = ("coco", "classical", {}, str(tmp_path / "labels.json"))
    with pytest.raises(DataError, match=r"annotations\.json must not change between submission and labelling"):
        merge_labels(zones, annotations, OTHER, *how)
    merge_labels(zones, annotations, place_hash(annotations), *how)
    assert (tmp_path / "labels.json").is_file()
