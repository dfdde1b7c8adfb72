"""Patches of windows: labels, pixels, what is left out, and what the store knows them by."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline.data.importers import read_source
from glassline.data.samples import IMAGE_COLUMNS, SampleTable
from glassline.data.shards import ShardReader
from glassline.errors import DataError, SettingsError
from glassline.vision.cut_patches import CutSettings, Cutting, cut_patches

TINY = {"window_px": 32, "step_px": 16, "clean_per_image": 6}


class _Line:
    """Images in a folder, and the table of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records: list[dict] = []

    def add(self, label: str, pixels: np.ndarray, mask: np.ndarray | None = None, objects: str = "") -> None:
        name = f"i{len(self.records)}"
        cv2.imwrite(str(self.root / f"{name}.png"), pixels)
        if mask is not None:
            cv2.imwrite(str(self.root / f"{name}-mask.png"), mask.astype(np.uint8) * 255)
        self.records.append(
            dict.fromkeys(IMAGE_COLUMNS, "")
            | {
                "id": name, "image": f"{name}.png", "label": label, "objects": objects, "x_mm": 10.0, "y_mm": -5.0,
                "mask": "" if mask is None else f"{name}-mask.png", "pitch_um": 50.0, "group": name,
                "width_px": pixels.shape[1], "height_px": pixels.shape[0], "bit_depth": 8, "zone": "7",
                "sha256": f"content {name}",
            }
        )  # fmt: skip

    def table(self, clean: str = "control", classes: tuple[str, ...] = ("dent", "mold", "control")) -> SampleTable:
        return SampleTable(pd.DataFrame(self.records), "images", str(self.root), classes, clean)


@pytest.fixture
def line(tmp_path) -> _Line:
    (tmp_path / "images").mkdir()
    return _Line(tmp_path / "images")


@pytest.fixture
def cut(tmp_path) -> Callable[..., tuple[SampleTable, Cutting]]:
    def run(table: SampleTable, progress=lambda done, of: None, **settings) -> tuple[SampleTable, Cutting]:
        return cut_patches(table, tmp_path / "store", CutSettings.parse({**TINY, **settings}), progress)

    return run


def _noise(height: int = 80, width: int = 112) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width), dtype=np.uint8)


def _mask(place=np.s_[20:30, 40:52], size_px: tuple[int, int] = (80, 112)) -> np.ndarray:
    mask_HW = np.zeros(size_px, bool)
    mask_HW[place] = True
    return mask_HW


def test_patches_show_the_windows_of_their_images(line, cut):
    line.add("dent", _noise(), _mask())
    table, counts = cut(line.table())
    patch_NHW, mask_NHW = (
        ShardReader(table.root, prefix).read(table.rows["shard"], table.rows["row"]) for prefix in ("patch", "mask")
    )
    for row, patch_HW, mask_HW in zip(table.rows.itertuples(), patch_NHW, mask_NHW, strict=True):
        window = np.s_[row.crop_y_px : row.crop_y_px + 32, row.crop_x_px : row.crop_x_px + 32]
        np.testing.assert_array_equal(patch_HW, cv2.resize(_noise()[window], (112, 112), interpolation=cv2.INTER_AREA))
        assert mask_HW.any() == _mask()[window].any()
        assert row.x_mm == pytest.approx(10 + (row.crop_x_px + 16) * 0.05)
        assert row.y_mm == pytest.approx(-5 + (row.crop_y_px + 16) * 0.05)
    assert (counts.images, counts.patches, counts.defects, counts.left_out) == (1, len(table.rows), 1, {})
    assert table.attributes == ["x_mm", "y_mm"]


def test_patches_are_labelled_by_the_window_and_judged_by_the_image(line, cut):
    line.add("dent", _noise(), _mask())
    line.add("control", _noise(81), _mask(np.s_[:0], (81, 112)))
    rows = cut(line.table())[0].rows
    assert set(rows["label"][rows["image"] == "i0"]) == {"dent", "control"}
    assert set(rows["label"][rows["image"] == "i1"]) == {"control"}
    assert (rows["unit"] == rows["image"]).all()
    assert rows.groupby("unit")["unit_label"].agg(set).to_dict() == {"i0": {"dent"}, "i1": {"control"}}
    touched = [_mask()[y : y + 32, x : x + 32].any() for x, y in zip(rows["crop_x_px"], rows["crop_y_px"], strict=True)]
    assert not np.any(np.array(touched) & (rows["image"] == "i0") & (rows["label"] == "control"))


def test_objects_of_an_image_give_windows_of_their_own_class(line, cut):
    told = [
        {"label": name, "bbox": box, "segmentation": None}
        for name, box in (("dent", [4, 4, 10, 10]), ("mold", [90, 60, 12, 12]), ("control", [50, 4, 8, 8]))
    ]
    line.add("dent", _noise(), objects=json.dumps(told))
    rows = cut(line.table())[0].rows
    assert set(rows["label"]) == {"dent", "mold", "control"}
    assert set(rows["label"][rows["crop_x_px"] >= 70]) <= {"mold", "control"}


def test_a_table_without_a_clean_class_gets_one(line, cut):
    line.add("dent", _noise(), _mask())
    table, _ = cut(line.table(clean="", classes=("dent",)))
    assert (table.classes, table.clean_class) == (("dent", "clean"), "clean")
    assert set(table.rows["label"]) == {"dent", "clean"}


def test_clean_windows_are_few_and_the_same_every_time(line, tmp_path):
    for _ in range(2):
        line.add("control", _noise())
    line.add("dent", _noise(), _mask())
    settings = CutSettings.parse(TINY)
    first, again = (
        cut_patches(line.table(), tmp_path / name, settings, lambda done, of: None)[0].rows for name in "ab"
    )
    pd.testing.assert_frame_equal(first, again)
    assert first[first["label"] == "control"].groupby("image").size().to_dict() == {"i0": 6, "i1": 6, "i2": 6}
    places = [first[first["image"] == name][["crop_x_px", "crop_y_px"]].to_numpy().tolist() for name in ("i0", "i1")]
    assert places[0] != places[1]


def test_an_image_without_a_place_is_left_out_and_named(line, cut):
    line.add("mold", _noise())
    line.add("dent", _noise(), _mask())
    line.add("dent", _noise(), _mask(np.s_[:0]))
    line.add("dent", _noise(), objects='[{"label": "dent", "bbox": [500, 500, 9, 9], "segmentation": null}]')
    table, counts = cut(line.table())
    assert set(table.rows["image"]) == {"i1"}
    assert counts.left_out == {
        "i0": "nobody says where its defect is",
        "i2": "its annotation holds no pixel",
        "i3": "its annotation holds no pixel",
    }


def test_an_annotation_that_misses_the_image_is_counted(line, cut):
    boxes = [{"label": "dent", "bbox": box, "segmentation": None} for box in ([300, 5, 9, 9], [8, 8, 9, 9])]
    line.add("dent", _noise(), objects=json.dumps(boxes))
    _, counts = cut(line.table())
    assert (counts.defects, counts.missed_defects) == (2, ["i0[0]"])


def test_only_empty_annotations_are_refused(line, cut):
    line.add("dent", _noise(), _mask(np.s_[:0]))
    with pytest.raises(DataError, match="got none of 1 images, i0: its annotation holds no pixel"):
        cut(line.table())


def test_an_image_that_is_all_defect_gives_no_clean_window(line, cut):
    line.add("dent", _noise(), _mask(np.s_[:]))
    rows = cut(line.table())[0].rows
    assert set(rows["label"]) == {"dent"}
    assert len(rows) > 20


@pytest.mark.parametrize("size_px", [(20, 20), (9, 100), (33, 47), (1, 3)])
def test_images_of_any_size_are_cut(line, cut, size_px):
    line.add("dent", _noise(*size_px), _mask(np.s_[0:1, 0:2], size_px))
    table, _ = cut(line.table())
    assert (table.rows["label"] == "dent").any()
    assert (table.rows["crop_x_px"] >= 0).all()


def test_images_of_12_bit_are_read_through_the_window(line, cut):
    line.add("dent", np.full((64, 64), 1000, np.uint16), _mask(np.s_[5:9, 5:9], (64, 64)))
    table, _ = cut(line.table(), depth_window=(0, 2000))
    patch_NHW = ShardReader(table.root, "patch").read(table.rows["shard"], table.rows["row"])
    assert np.unique(patch_NHW).tolist() == [128]
    with pytest.raises(DataError, match="depth_window"):
        cut(line.table())


def test_images_in_colour_are_cut_in_grey(line, cut):
    blue = np.zeros((64, 64, 3), np.uint8)
    blue[..., 0] = 255
    line.add("dent", blue, _mask(np.s_[5:9, 5:9], (64, 64)))
    table, _ = cut(line.table())
    assert np.unique(ShardReader(table.root, "patch").read([0], [0])).tolist() == [29]


def test_captures_are_cut(write_labelled, tmp_path):
    table = read_source(write_labelled(tmp_path / "captures", glasses=3), "captures")
    settings = CutSettings.parse({**TINY, "depth_window": (0, 4095)})
    patches, counts = cut_patches(table, tmp_path / "store", settings, lambda done, of: None)
    assert set(patches.rows["label"]) == {"scratch", "dent", "control"}
    assert counts.defects == 2


def test_a_table_that_tells_no_place_is_cut_by_candidates(line, cut):
    for label in ("dent", "mold"):
        line.add(label, _noise())
    table, counts = cut(line.table(clean="", classes=("dent", "mold")), extract={"candidates": {"per_image": 2}})
    assert counts.by_candidates
    assert set(table.rows["label"]) == {"dent", "mold"}
    assert table.classes == ("dent", "mold")
    assert counts.patches == len(table.rows)


def test_candidates_are_read_as_windows_would_be(line, cut):
    line.add("dent", np.pad(np.full((20, 20), 3000, np.uint16), 40))
    table, _ = cut(line.table(), depth_window=(0, 4095))
    assert len(table.rows) >= 1


def test_patches_are_read_from_the_store(line, cut):
    line.add("dent", _noise(), _mask())
    seen = []
    first, counts = cut(line.table(), lambda done, of: seen.append((done, of)))
    for path in line.root.glob("*.png"):
        if "mask" not in path.name:
            path.unlink()
    again, counts_again = cut(line.table(), lambda done, of: seen.append((done, of)))
    pd.testing.assert_frame_equal(again.rows, first.rows)
    assert (again.root, counts_again, seen) == (first.root, counts, [(1, 1)])


def test_a_mended_mask_is_cut_anew(line, cut):
    line.add("dent", _noise(), _mask())
    first, _ = cut(line.table())
    cv2.imwrite(str(line.root / "i0-mask.png"), _mask(np.s_[60:70, 5:15]).astype(np.uint8))
    assert cut(line.table())[0].root != first.root


def test_a_mask_of_another_size_is_named(line, cut):
    line.add("dent", _noise(), _mask(np.s_[0:2, 0:2], (30, 30)))
    with pytest.raises(DataError, match=r"i0-mask\.png must be as large as its image"):
        cut(line.table())


def test_a_step_wider_than_the_window_is_refused():
    with pytest.raises(SettingsError, match="step_px must be <= window_px, 32"):
        CutSettings.parse({"window_px": 32})
