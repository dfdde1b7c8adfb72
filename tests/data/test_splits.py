"""Folds: by group, stratified, seeded; no leak."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from glassline.data.importers import read_source
from glassline.data.samples import PATCH_COLUMNS, SampleTable
from glassline.data.splits import assign_folds, check_leak, split_warnings, test_rows, train_rows
from glassline.errors import DataError
from glassline.vision.augment import AugmentSettings, augment_table


def _patches(units: list[tuple[str, str, str, int]]) -> SampleTable:
    """Build a table from (unit, class, group, patches of the unit)."""
    rows = pd.DataFrame(
        [
            {"id": f"{unit}#{n}", "unit": unit, "unit_label": label, "label": label, "group": group, "image": unit}
            for unit, label, group, count in units
            for n in range(count)
        ]
    ).reindex(columns=list(PATCH_COLUMNS), fill_value=0)
    return SampleTable(rows, "patches", "", tuple(sorted(set(rows["label"]))))


def _units(groups: dict[str, int], per_group: int = 3, patches: int = 1) -> list[tuple[str, str, str, int]]:
    return [
        (f"{label}{group}-{unit}", label, f"{label}{group}", patches)
        for label, count in groups.items()
        for group in range(count)
        for unit in range(per_group)
    ]


@pytest.fixture
def table() -> SampleTable:
    return _patches(_units({"dent": 6, "fold": 12}))


def test_assign_folds_keeps_every_group_together(table):
    rows = assign_folds(table, 5, 0).rows
    assert rows["fold"].dtype == np.int64
    assert set(rows["fold"]) == set(range(5))
    assert rows.groupby("group")["fold"].nunique().eq(1).all()


def test_assign_folds_tests_every_class_in_every_fold(table):
    assert assign_folds(table, 5, 0).rows.groupby("label")["fold"].nunique().eq(5).all()


def test_assign_folds_depends_on_the_seed_alone(table):
    shuffled = table.with_rows(table.rows.sample(frac=1, random_state=1))
    first, second = (assign_folds(each, 5, 7).rows.set_index("id")["fold"] for each in (table, shuffled))
    pd.testing.assert_series_equal(first, second[first.index])
    assert (assign_folds(table, 5, 8).rows["fold"] != assign_folds(table, 5, 7).rows["fold"]).any()


def test_assign_folds_does_not_depend_on_the_number_of_candidates():
    units = _units({"dent": 6, "fold": 12})
    rng = np.random.default_rng(0)
    more = [(*unit[:3], int(rng.integers(1, 20))) for unit in units]
    first, second = (assign_folds(_patches(each), 5, 0).rows for each in (units, more))
    assert dict(zip(first["unit"], first["fold"], strict=True)) == dict(
        zip(second["unit"], second["fold"], strict=True)
    )


@pytest.mark.parametrize("seed", range(5))
def test_assign_folds_spreads_a_class_with_few_groups(seed):
    rows = assign_folds(_patches(_units({"dent": 3, "fold": 30})), 10, seed).rows
    assert rows.groupby("label")["fold"].nunique().to_dict() == {"dent": 3, "fold": 10}


def test_split_warnings_name_classes_with_fewer_groups_than_folds():
    table = _patches(_units({"dent": 3, "fold": 30}))
    assert split_warnings(table, 10) == [
        "class 'dent' has 3 groups for 10 folds: it is tested in 3 of them only, so read metrics pooled over folds"
    ]
    assert split_warnings(table, 3) == []


def test_assign_folds_refuses_a_class_with_one_group():
    with pytest.raises(DataError, match="at least 2 groups, got 1 for class 'dent'"):
        assign_folds(_patches(_units({"dent": 1, "fold": 9})), 3, 0)


@pytest.mark.parametrize("folds", [1, 0, 19])
def test_assign_folds_refuses_an_impossible_number(table, folds):
    with pytest.raises(DataError, match="folds must be"):
        assign_folds(table, folds, 0)


@pytest.mark.parametrize(("groups", "made"), [({"dent": 1, "fold": 3}, 4), ({"dent": 1}, 1), ({"dent": 2}, 2)])
def test_assign_folds_makes_as_many_as_there_are_groups_for_when_not_strict(groups, made):
    rows = assign_folds(_patches(_units(groups)), 10, 0, strict=False).rows
    assert rows.groupby("fold")["group"].nunique().to_dict() == dict.fromkeys(range(made), 1)


def test_assign_folds_refuses_a_unit_in_two_groups(table):
    rows = pd.concat([table.rows, table.rows.iloc[:1].assign(id="again", group="fold3")])
    with pytest.raises(DataError, match="one class and one group, got 'dent0-0'"):
        assign_folds(table.with_rows(rows), 3, 0)


def test_check_leak_names_a_group_in_two_folds(table):
    split = assign_folds(table, 3, 0)
    rows = split.rows.assign(fold=split.rows["fold"].where(split.rows["id"] != "fold3-1#0", 99))
    with pytest.raises(DataError, match=r"group 'fold3' in folds \[\d, 99\]"):
        check_leak(split.with_rows(rows))


def test_check_leak_names_an_image_in_two_folds(table):
    split = assign_folds(table, 3, 0)
    rows = split.rows.assign(group=split.rows["id"], unit=split.rows["id"], image="same.png")
    with pytest.raises(DataError, match=r"image 'same\.png' in folds \[0, 1, 2\]"):
        check_leak(split.with_rows(rows))


@pytest.mark.parametrize("change", [{"fold": 99}, {"origin": "lost"}])
def test_check_leak_names_a_copy_astray_from_its_original(table, change):
    split = augment_table(assign_folds(table, 3, 0), AugmentSettings(copies=1), 0)
    rows = split.rows.copy()
    rows.loc[rows["id"] == "dent0-0#0~0", list(change)] = list(change.values())
    rows = rows.assign(group=rows["id"], unit=rows["id"], image=rows["id"])
    with pytest.raises(DataError, match="'dent0-0#0~0'"):
        check_leak(split.with_rows(rows))


def test_copies_train_and_never_test(table):
    split = augment_table(assign_folds(table, 3, 0), AugmentSettings(copies=2), 0)
    for fold in range(3):
        train, test = split.rows.iloc[train_rows(split, fold)], split.rows.iloc[test_rows(split, fold)]
        assert set(test["augmentation"]) == {""}
        assert set(train["augmentation"]) > {""}
        assert not set(test["id"]) & (set(train["id"]) | set(train["origin"]))
        assert not set(test["group"]) & set(train["group"])


def test_every_original_is_tested_once(table):
    split = augment_table(assign_folds(table, 3, 0), AugmentSettings(copies=2), 0)
    tested = np.concatenate([test_rows(split, fold) for fold in range(3)])
    assert sorted(split.rows["id"].iloc[tested]) == sorted(table.rows["id"])


@pytest.mark.parametrize("rows", [train_rows, test_rows])
def test_rows_refuse_a_fold_that_is_not_there(table, rows):
    with pytest.raises(DataError, match=r"one of \[0, 1, 2\], got 3"):
        rows(assign_folds(table, 3, 0), 3)
    with pytest.raises(DataError, match="run split_samples first"):
        rows(table, 0)


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_folds_of_real_tiles_are_those_of_scikit_learn(shared_data):
    images = read_source(shared_data / "magnetic_tile", "mask-folder")
    rows = assign_folds(images, 10, 0).rows
    listed = pd.read_csv(shared_data / "magnetic_tile" / "groups.csv")
    splitter = StratifiedGroupKFold(10, shuffle=True, random_state=0).split(listed, listed["class"], listed["group"])
    for fold, (_, test) in enumerate(splitter):
        expected = {path.removeprefix("magnetic_tile/") for path in listed["path"].iloc[test]}
        assert set(rows["id"][rows["fold"] == fold]) == expected
    assert rows.groupby("label")["fold"].nunique()[["Crack", "Fray", "Free"]].tolist() == [9, 8, 10]
