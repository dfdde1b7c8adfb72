"""Leaks of a new cycle's data: folds, pictures that come twice, labels that contradict, samples seen before."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.cycle_leaks import alike_pictures, fold_leaks, same_pictures, seen_before
from glassline.data.samples import IMAGE_COLUMNS, SampleTable


@pytest.fixture
def split(make_table):
    """Return a table with folds: split(["dent", …], fold=[…], sha256=[…])."""

    def make(labels=("dent", "mold", "dent", "mold"), **columns):
        sums = [f"sum-{number}" for number in range(len(labels))]
        folds = [number % 2 for number in range(len(labels))]
        return make_table(list(labels), **{"fold": folds, "sha256": sums, **columns})

    return make


def _images(labels, **columns):
    rows = pd.DataFrame(
        {name: [""] * len(labels) for name in IMAGE_COLUMNS}
        | {"id": [f"i{number}" for number in range(len(labels))], "label": labels}
        | {"sha256": [f"image-{number}" for number in range(len(labels))]}
        | {"group": [f"g{number}" for number in range(len(labels))]}
        | columns
    )
    return SampleTable(rows, "images", ".", ("dent", "mold"))


def test_fold_leaks_names_every_torn_group(split):
    table = split(group=["a", "a", "b", "b"])
    (found,) = fold_leaks(table)
    assert (found.rule, found.level) == ("leaks", "refused")
    assert "a, b" in found.text


def test_fold_leaks_finds_none_where_groups_are_whole(split):
    assert fold_leaks(split(group=["a", "b", "a", "b"])) == []


def test_same_pictures_refuses_one_file_under_two_groups_and_two_labels(split):
    images = _images(["dent", "mold", "dent", "mold"], sha256=["s", "s", "t", "u"])
    found = same_pictures(images, split())
    assert [(one.rule, one.level) for one in found] == [("duplicates", "refused"), ("labels", "refused")]
    assert "i0 = i1" in found[0].text


def test_same_pictures_refuses_equal_patches_of_different_files(split):
    found = same_pictures(_images(["dent", "mold", "dent", "mold"]), split(sha256=["s", "t", "s", "u"]))
    assert [one.rule for one in found] == ["duplicates"]
    assert "p0 = p2" in found[0].text


def test_same_pictures_passes_even_patches_which_all_look_alike(split):
    even = hashlib.sha256(np.full((112, 112), 255, np.uint8).tobytes()).hexdigest()
    assert same_pictures(_images(["dent", "mold", "dent", "mold"]), split(sha256=[even] * 4)) == []


def test_seen_before_refuses_another_label_and_notes_the_advantage(split):
    labels, seen = seen_before(split(), split(["mold", "mold", "dent", "mold"]), relabelled=False)
    assert (labels.rule, labels.level, seen.rule, seen.level) == ("labels", "refused", "seen", "warned")
    assert "p0 (mold then, dent now)" in labels.text
    assert "4 of 4" in seen.text


def test_seen_before_warns_of_another_label_where_it_was_corrected(split):
    found = seen_before(split(), split(["mold", "mold", "dent", "mold"]), relabelled=True)
    assert [one.level for one in found] == ["warned", "warned"]


def test_seen_before_takes_the_label_of_a_reviewer(split):
    new = split(review=["corrected", "", "", ""])
    found = seen_before(new, split(["mold", "mold", "dent", "mold"]), relabelled=False)
    assert [one.rule for one in found] == ["seen"]


def test_seen_before_finds_nothing_in_other_pictures(split):
    assert seen_before(split(), split(sha256=list("abcd")), relabelled=False) == []


def test_alike_pictures_names_pairs_here_and_those_of_the_champion():
    pairs = pd.DataFrame(
        {
            "id": ["a", "b"], "other_id": ["c", "d"], "fold": [0, 1], "other_fold": [1, 1], "last_cycle": [False, True],
        }
    )  # fmt: skip
    duplicates, seen = alike_pictures(pairs)
    assert (duplicates.level, seen.level) == ("warned", "warned")
    assert "a / c" in duplicates.text
    assert "1 of them in different folds" in duplicates.text
    assert "flatter the champion" in seen.text
