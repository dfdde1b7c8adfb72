"""Candidate patches of a table of images: pixels from the image alone, labels from what was annotated."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline.data.samples import IMAGE_COLUMNS, SampleTable
from glassline.data.shards import ShardReader
from glassline.data.storage import sha256_file
from glassline.errors import DataError
from glassline.vision.normalise import normalise
from glassline.vision.patches import ExtractSettings, extract_patches

PLACES = [(80, 60), (230, 200)]  # x, y of two bright spots of 20 px on grey glass of 320 x 280 px
SPOT_PX = 20
PLAIN = {"candidates": {"per_image": 4}, "normalise_px": 0}


class _Line:
    """Images in a folder, and the table of them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records: list[dict] = []

    def add(self, label: str, places=PLACES, mask: np.ndarray | None = None, objects="", depth=np.uint8) -> None:
        name = f"i{len(self.records)}"
        generator = np.random.default_rng(len(self.records))
        grey_HW = generator.normal(100, 2, (280, 320))
        for x, y in places:
            grey_HW[y : y + SPOT_PX, x : x + SPOT_PX] += 60
        scale = 16 if depth == np.uint16 else 1
        cv2.imwrite(
            str(self.root / f"{name}.png"), np.clip(grey_HW * scale, 0, 4095 if scale > 1 else 255).astype(depth)
        )
        self.records.append(
            dict.fromkeys(IMAGE_COLUMNS, "")
            | {
                "id": name, "image": f"{name}.png", "label": label, "objects": objects, "x_mm": 10.0, "y_mm": -5.0,
                "pitch_um": 50.0, "group": name, "width_px": 320, "height_px": 280, "bit_depth": 8, "zone": "7",
                "sha256": sha256_file(self.root / f"{name}.png"),
            }
        )  # fmt: skip
        if mask is not None:
            self.mask(len(self.records) - 1, mask)

    def mask(self, number: int, mask_HW: np.ndarray) -> None:
        cv2.imwrite(str(self.root / f"m{number}.png"), mask_HW.astype(np.uint8) * 255)
        self.records[number]["mask"] = f"m{number}.png"

    def table(self, clean: str = "control", classes=("dent", "mold", "control")) -> SampleTable:
        return SampleTable(pd.DataFrame(self.records), "images", str(self.root), classes, clean)


@pytest.fixture
def line(tmp_path) -> _Line:
    (tmp_path / "images").mkdir()
    return _Line(tmp_path / "images")


@pytest.fixture
def extract(tmp_path):
    """Extract into one store: extract(table, min_overlap=0.5)."""

    def run(table, progress=lambda done, of: None, **settings):
        return extract_patches(table, tmp_path / "store", ExtractSettings.parse({**PLAIN, **settings}), progress)

    return run


def _mask(*places: tuple[int, int]) -> np.ndarray:
    mask_HW = np.zeros((280, 320), bool)
    for x, y in places:
        mask_HW[y : y + SPOT_PX, x : x + SPOT_PX] = True
    return mask_HW


def _objects(*labels: str) -> str:
    boxes = [[x, y, SPOT_PX, SPOT_PX] for x, y in PLACES]
    drawn = [{"label": one, "bbox": box, "segmentation": None} for one, box in zip(labels, boxes, strict=False)]
    return json.dumps(drawn)


def _left_first(patches: SampleTable) -> pd.DataFrame:
    return patches.rows.sort_values("x_mm").reset_index(drop=True)


def test_extract_labels_each_patch_by_the_box_it_lies_on(line, extract):
    line.add("dent", objects=_objects("dent", "mold"))
    patches, counts = extract(line.table())
    rows = _left_first(patches)
    assert rows["label"].tolist() == ["dent", "mold"]
    assert rows["unit_label"].tolist() == ["dent", "mold"]
    assert rows["unit"].tolist() == rows["id"].tolist()
    assert rows["has_mask"].all()
    assert (counts.defects, counts.missed_defects, counts.defect_recall) == (2, [], 1.0)


def test_extract_labels_a_patch_off_every_box_as_clean(line, extract):
    line.add("mold", objects=_objects("mold"))
    rows = _left_first(extract(line.table())[0])
    assert rows["label"].tolist() == ["mold", "control"]
    assert rows["overlap"].tolist() == [pytest.approx(1, abs=0.5), 0.0]


def test_extract_names_the_box_that_no_candidate_hits(line, extract):
    line.add("dent", places=PLACES[:1], objects=_objects("dent", "mold"))
    _, counts = extract(line.table())
    assert (counts.defects, counts.missed_defects, counts.defect_recall) == (2, ["i0[1]"], 0.5)


def test_extract_labels_by_mask_and_judges_the_image(line, extract):
    line.add("dent", mask=_mask(PLACES[1]))
    patches, counts = extract(line.table())
    rows = _left_first(patches)
    assert rows["label"].tolist() == ["control", "dent"]
    assert rows["unit"].tolist() == ["i0", "i0"]
    assert rows["unit_label"].tolist() == ["dent", "dent"]
    assert rows["overlap"][0] == 0
    assert rows["overlap"][1] > 0.5
    assert (counts.defects, counts.missed_defects) == (1, [])


def test_extract_labels_by_mask_without_a_clean_class(line, extract):
    line.add("dent", mask=_mask(PLACES[1]))
    rows = _left_first(extract(line.table(clean="", classes=("dent", "mold")))[0])
    assert rows["label"].tolist() == ["dent", "dent"]


def test_extract_counts_a_mask_that_no_candidate_hits(line, extract):
    line.add("dent", mask=_mask((10, 240)))
    _, counts = extract(line.table())
    assert (counts.defects, counts.missed_defects) == (1, ["i0[0]"])


def test_extract_labels_every_patch_as_its_image_when_only_images_are_labelled(line, extract):
    line.add("mold")
    patches, counts = extract(line.table())
    assert patches.rows["label"].tolist() == ["mold", "mold"]
    assert patches.rows["overlap"].isna().all()
    assert not patches.rows["has_mask"].any()
    assert np.isnan(counts.defect_recall)


def test_extract_needs_the_stated_share_of_a_candidate_on_the_mask(line, extract):
    mask_HW = np.roll(_mask(PLACES[0]), SPOT_PX // 2, axis=1)  # half of it beside the spot
    line.add("dent", places=PLACES[:1], mask=mask_HW)
    assert extract(line.table(), min_overlap=0.05)[0].rows["label"].tolist() == ["dent"]
    assert extract(line.table(), min_overlap=0.9)[0].rows["label"].tolist() == ["control"]


def test_extract_places_a_patch_in_mm_on_the_glass(line, extract):
    line.add("dent")
    rows = _left_first(extract(line.table())[0])
    for row, (x, y) in zip(rows.itertuples(), PLACES, strict=True):
        assert row.x_mm == pytest.approx(10 + (x + SPOT_PX / 2) * 0.05, abs=0.15)
        assert row.y_mm == pytest.approx(-5 + (y + SPOT_PX / 2) * 0.05, abs=0.15)


@pytest.mark.parametrize("unknown", ["x_mm", "pitch_um"])
def test_extract_leaves_an_unknown_place_unknown(line, extract, unknown):
    line.add("dent")
    line.records[0][unknown] = float("nan")
    assert extract(line.table())[0].rows["x_mm"].isna().all()


def test_extract_stores_the_pixels_of_the_crop_and_the_mask_under_it(line, extract):
    line.add("dent", mask=_mask(*PLACES))
    patches, _ = extract(line.table())
    grey_HW = cv2.imread(str(line.root / "i0.png"), cv2.IMREAD_GRAYSCALE)
    row = _left_first(patches).iloc[1]  # the spot that lies a window's width from every border
    window = np.s_[row.crop_y_px : row.crop_y_px + 112, row.crop_x_px : row.crop_x_px + 112]
    inside = grey_HW[window]
    patch_HW = ShardReader(patches.root, "patch").read([row["shard"]], [row["row"]])[0]
    mask_HW = ShardReader(patches.root, "mask").read([row["shard"]], [row["row"]])[0]
    np.testing.assert_array_equal(patch_HW[: inside.shape[0], : inside.shape[1]], inside)
    np.testing.assert_array_equal(mask_HW[: inside.shape[0], : inside.shape[1]] > 0, _mask(*PLACES)[window])


def test_extract_takes_the_flat_field_out_of_patches_but_not_out_of_candidates(line, extract):
    line.add("dent")
    plain, _ = extract(line.table())
    flat, _ = extract(line.table(), normalise_px=24)
    changed = ["sha256"]
    pd.testing.assert_frame_equal(flat.rows.drop(columns=changed), plain.rows.drop(columns=changed))
    whole_HW = normalise(cv2.imread(str(line.root / "i0.png"), cv2.IMREAD_GRAYSCALE), 24)
    row = flat.rows.iloc[0]
    patch_HW = ShardReader(flat.root, "patch").read([row["shard"]], [row["row"]])[0]
    top, left = max(-row.crop_y_px, 0), max(-row.crop_x_px, 0)
    expected_HW = whole_HW[row.crop_y_px + top : row.crop_y_px + 112, row.crop_x_px + left : row.crop_x_px + 112]
    height, width = expected_HW.shape
    np.testing.assert_array_equal(patch_HW[top : top + height, left : left + width], expected_HW)


def test_extract_keeps_a_thin_scratch_in_the_mask_of_a_shrunken_crop(line, extract):
    scratch_HW = np.zeros((280, 320), bool)
    scratch_HW[70] = True
    line.add("dent", mask=scratch_HW)
    patches, _ = extract(line.table(), candidates={"per_image": 1, "window_px": 448})
    assert ShardReader(patches.root, "mask").read([0], [0]).any()


def test_extract_never_looks_at_masks_for_pixels_attributes_and_what_is_judged(line, extract):
    for label in ("dent", "mold", "control"):
        line.add(label, mask=_mask(*PLACES) if label != "control" else None)
    before, _ = extract(line.table())
    for number in (0, 1):
        line.mask(number, np.random.default_rng(number).random((280, 320)) > 0.99)
        line.records[number]["sha256"] += "-changed"  # another content, another folder
    after, _ = extract(line.table())
    assert after.root != before.root
    trained = ["label", "overlap"]
    pd.testing.assert_frame_equal(after.rows.drop(columns=trained), before.rows.drop(columns=trained))
    assert set(after.rows["label"]) != set(before.rows["label"])
    places = before.rows["shard"], before.rows["row"]
    pixels = [ShardReader(table.root, "patch").read(*places) for table in (before, after)]
    np.testing.assert_array_equal(*pixels)


def test_extract_leaves_nothing_behind_when_an_image_in_the_middle_breaks(line, extract, tmp_path):
    for _ in range(3):
        line.add("dent")
    (line.root / "i1.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"i1\.png"):
        extract(line.table())
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file() or path.name.startswith(".")] == []


def test_extract_reuses_its_folder_and_reads_no_image_again(line, extract):
    line.add("dent", objects=_objects("dent"))
    line.add("control")
    table = line.table()
    first, counts = extract(table)
    for path in line.root.iterdir():
        path.unlink()
    again, counts_again = extract(table)
    pd.testing.assert_frame_equal(again.rows, first.rows)
    assert (again.root, again.classes, again.clean_class) == (first.root, first.classes, first.clean_class)
    assert counts_again == counts


def test_extract_reads_a_store_that_was_moved(line, tmp_path):
    line.add("dent")
    settings = ExtractSettings.parse(PLAIN)
    extract_patches(line.table(), tmp_path / "store", settings, lambda done, of: None)
    shutil.move(tmp_path / "store", tmp_path / "elsewhere")
    patches, _ = extract_patches(line.table(), tmp_path / "elsewhere", settings, lambda done, of: None)
    assert ShardReader(patches.root, "patch").read(patches.rows["shard"], patches.rows["row"]).shape == (2, 112, 112)


@pytest.mark.parametrize("change", [{"min_overlap": 0.5}, {"candidates": {"per_image": 1}}, {"depth_window": (0, 255)}])
def test_extract_keeps_another_setting_in_another_folder(line, extract, change):
    line.add("dent")
    assert extract(line.table())[0].root != extract(line.table(), **change)[0].root


def test_extract_counts_an_image_without_candidate(line, extract):
    line.add("dent")
    line.add("control", places=[])
    seen = []
    _, counts = extract(
        line.table(), lambda done, of: seen.append((done, of)),
        candidates={"always_one": False, "threshold_sigma": 12.0},
    )  # fmt: skip
    assert counts.images_without_candidate == ["i1"]
    assert (counts.images, counts.patches) == (2, 2)
    assert seen == [(1, 2), (2, 2)]


def test_extract_refuses_images_without_any_candidate(line, extract):
    line.add("control", places=[])
    with pytest.raises(DataError, match="at least one image must have a candidate, got none in 1 images"):
        extract(line.table(), candidates={"always_one": False, "threshold_sigma": 50.0})


def test_extract_refuses_a_16_bit_image_without_window_and_names_it(line, extract):
    line.add("dent", depth=np.uint16)
    with pytest.raises(DataError, match=r"i0\.png has more than 8 bit.*set depth_window"):
        extract(line.table())


def test_extract_maps_16_bit_through_the_window(line, extract):
    line.add("dent", depth=np.uint16)
    patches, _ = extract(line.table(), depth_window=(0, 4080))
    patch_NHW = ShardReader(patches.root, "patch").read(patches.rows["shard"], patches.rows["row"])
    assert np.median(patch_NHW) == pytest.approx(100, abs=2)


def test_extract_ignores_what_repeats_in_place_and_keeps_its_mask(line, extract):
    for shift in range(4):
        line.add("dent", places=[PLACES[0], (150 + 40 * shift, 200)])
    everything, _ = extract(line.table())
    patches, _ = extract(line.table(), systematic=True)
    near_first = patches.rows["x_mm"] < 10 + 110 * 0.05
    assert (everything.rows["x_mm"] < 10 + 110 * 0.05).sum() == 4
    assert near_first.sum() == 0
    mask_HW = cv2.imread(f"{patches.root}/systematic.png", cv2.IMREAD_GRAYSCALE)
    assert mask_HW[PLACES[0][1] + 10, PLACES[0][0] + 10] == 255


def test_a_mended_mask_is_extracted_anew(line, extract):
    line.add("dent", mask=_mask(PLACES[0]))
    before, _ = extract(line.table())
    line.mask(0, _mask(*PLACES))
    after, _ = extract(line.table())
    assert (before.rows["label"] == "dent").sum() == 1
    assert (after.rows["label"] == "dent").sum() == 2


def test_an_image_too_small_to_search_is_named(line, extract):
    line.add("dent")
    cv2.imwrite(str(line.root / "i0.png"), np.zeros((2, 300), np.uint8))
    with pytest.raises(DataError, match=r"i0\.png: .*at least 3 x 3 px"):
        extract(line.table())
