import numpy as np
import pandas as pd

from glassline.data.samples import PATCH_COLUMNS, SampleTable
from glassline.training.sampling import thin_clean


def _table(labels: list[str], clean_class: str = "clean") -> SampleTable:
    rows = pd.DataFrame(dict.fromkeys(PATCH_COLUMNS, ""), index=range(len(labels)))
    rows["id"], rows["label"] = [str(number) for number in range(len(labels))], labels
    return SampleTable(rows, "patches", ".", ("clean", "dent"), clean_class)


def test_thin_clean_keeps_every_defect_and_the_stated_ratio_of_clean() -> None:
    table = _table(["clean"] * 50 + ["dent"] * 4)
    kept = table.rows["label"].iloc[thin_clean(table, np.arange(54), 3, seed=0)]
    assert (kept == "dent").sum() == 4
    assert (kept == "clean").sum() == 12


def test_thin_clean_is_seeded() -> None:
    table = _table(["clean"] * 50 + ["dent"] * 4)
    first, again, other = (thin_clean(table, np.arange(54), 3, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert not np.array_equal(first, other)


def test_thin_clean_keeps_all_when_the_ratio_is_zero_or_there_is_no_clean_class() -> None:
    labels = ["clean"] * 50 + ["dent"] * 4
    assert len(thin_clean(_table(labels), np.arange(54), 0, seed=0)) == 54
    assert len(thin_clean(_table(labels, ""), np.arange(54), 3, seed=0)) == 54


def test_thin_clean_keeps_all_when_clean_patches_are_few() -> None:
    table = _table(["clean"] * 5 + ["dent"] * 4)
    assert len(thin_clean(table, np.arange(9), 3, seed=0)) == 9
