"""Augmentation: operations by name, copies that inherit."""

import numpy as np
import pandas as pd
import pytest

from glassline.data.samples import PATCH_COLUMNS, SampleTable
from glassline.errors import DataError, SettingsError
from glassline.vision.augment import AugmentSettings, apply_augmentation, augment_table

PATCH_HW = np.random.default_rng(0).integers(0, 256, (112, 112), dtype=np.uint8)
ALL = AugmentSettings(flip=True, shift_px=5, clahe=True, copies=4)


def _table(count: int = 6) -> SampleTable:
    rows = pd.DataFrame({name: [""] * count for name in PATCH_COLUMNS})
    rows = rows.assign(id=[f"p{n}" for n in range(count)], label="dent", group="g", row=range(count), fold=range(count))
    return SampleTable(rows, "patches", "", ("dent",))


def test_flips_mirror_left_right_and_top_bottom():
    patch_HW = np.array([[1, 2], [3, 4]], np.uint8)
    np.testing.assert_array_equal(apply_augmentation(patch_HW, "flip_h"), [[2, 1], [4, 3]])
    np.testing.assert_array_equal(apply_augmentation(patch_HW, "flip_v"), [[3, 4], [1, 2]])
    np.testing.assert_array_equal(apply_augmentation(patch_HW, "flip_h|flip_v"), [[4, 3], [2, 1]])


@pytest.mark.parametrize(("dx", "dy"), [(3, 2), (-3, 2), (3, -2), (0, 0), (-9, 0), (0, 9)])
def test_shift_moves_right_and_down_and_reflects(dx, dy):
    patch_HW = PATCH_HW[:12, :11]
    moved_HW = apply_augmentation(patch_HW, f"shift:{dx},{dy}")
    for y in range(12):
        for x in range(11):
            from_y, from_x = abs(y - dy), abs(x - dx)
            from_y = 22 - from_y if from_y > 11 else from_y
            from_x = 20 - from_x if from_x > 10 else from_x
            assert moved_HW[y, x] == patch_HW[from_y, from_x]


def test_clahe_spreads_a_dull_patch():
    dull_HW = (PATCH_HW // 16 + 100).astype(np.uint8)
    assert np.ptp(apply_augmentation(dull_HW, "clahe")) > 1.5 * np.ptp(dull_HW)


def test_clahe_leaves_a_constant_patch_constant():
    assert np.ptp(apply_augmentation(np.full((112, 112), 7, np.uint8), "clahe")) == 0


@pytest.mark.parametrize("operations", ["flip_h", "flip_v|clahe", "shift:4,-7", "flip_h|shift:1,1|clahe", ""])
def test_augmentation_moves_a_mask_with_its_patch(operations):
    mask_HW = PATCH_HW > 200
    moved_HW = apply_augmentation(mask_HW, operations, mask=True)
    assert moved_HW.dtype == np.bool_
    geometry = operations.replace("|clahe", "")
    np.testing.assert_array_equal(moved_HW, apply_augmentation(PATCH_HW, geometry) > 200)


@pytest.mark.parametrize(
    "operations", ["", "flip_h", "flip_v", "shift:3,-4", "clahe", "flip_h|flip_v|shift:-1,0|clahe"]
)
def test_augmentation_keeps_the_input(operations):
    before_HW = PATCH_HW.copy()
    result_HW = apply_augmentation(PATCH_HW, operations)
    assert (result_HW.shape, result_HW.dtype) == (PATCH_HW.shape, np.uint8)
    np.testing.assert_array_equal(PATCH_HW, before_HW)


@pytest.mark.parametrize("operations", ["rotate", "flip_h|blur", "shift:3", "shift:a,b", "shift", "clahe:2"])
def test_augmentation_refuses_unknown_operations(operations):
    with pytest.raises(DataError, match="must"):
        apply_augmentation(PATCH_HW, operations)


def test_augmentation_refuses_a_shift_past_the_patch():
    with pytest.raises(DataError, match="smaller than the patch of 112 x 112 px, got 112, 0"):
        apply_augmentation(PATCH_HW, "shift:112,0")


def test_augment_table_adds_copies_that_inherit():
    table = augment_table(_table(), ALL, seed=0)
    copies = table.rows[table.rows["augmentation"] != ""]
    assert len(table.rows) == 6 * 5
    assert len(copies) == 6 * 4
    assert copies["id"].tolist()[:2] == ["p0~0", "p1~0"]
    originals = table.rows.set_index("id").loc[copies["origin"]]
    for column in ("label", "group", "fold", "shard", "row"):
        assert copies[column].tolist() == originals[column].tolist()


def test_augment_table_draws_a_different_operation_for_each_copy():
    rows = augment_table(_table(50), ALL, seed=0).rows
    copies = rows[rows["augmentation"] != ""]
    assert copies.groupby("origin")["augmentation"].nunique().eq(4).all()
    assert copies["augmentation"].str.contains("clahe").mean() == pytest.approx(0.5, abs=0.15)


def test_augment_table_does_not_depend_on_the_order_of_rows():
    table = _table()
    turned = table.with_rows(table.rows.iloc[::-1])
    assert augment_table(table, ALL, 3).content_hash() == augment_table(turned, ALL, 3).content_hash()


def test_augment_table_depends_on_the_seed():
    assert augment_table(_table(), ALL, 3).content_hash() != augment_table(_table(), ALL, 4).content_hash()


def test_augment_table_without_copies_only_adds_columns():
    rows = augment_table(_table(), AugmentSettings(copies=0), 0).rows
    assert len(rows) == 6
    assert set(rows["augmentation"]) == set(rows["origin"]) == {""}


def test_augment_table_uses_every_operation_when_there_are_just_enough():
    rows = augment_table(_table(2), AugmentSettings(flip=True, shift_px=0, clahe=False, copies=3), 0).rows
    assert set(rows["augmentation"]) == {"", "flip_h", "flip_v", "flip_h|flip_v"}


def test_augment_table_refuses_more_copies_than_operations():
    with pytest.raises(SettingsError, match=r"copies must be <= 3, .* got 4"):
        augment_table(_table(), AugmentSettings(flip=True, shift_px=0, clahe=False, copies=4), 0)


def test_augment_table_refuses_a_second_time():
    with pytest.raises(DataError, match="augmented once"):
        augment_table(augment_table(_table(), ALL, 0), ALL, 0)
