"""Near-duplicates: one picture stored twice is found, two marks of one kind are not."""

import cv2
import numpy as np
import pytest

from glassline.vision.near_duplicates import near_duplicates


@pytest.fixture
def patches():
    """Return six patches of the same kind of mark, each with its own noise."""
    rng = np.random.default_rng(0)
    mark_HW = np.zeros((112, 112))
    mark_HW[50:60, 40:70] = 60
    return (127 + mark_HW + rng.normal(0, 6, (6, 112, 112))).clip(0, 255).astype(np.uint8)


def _groups(count):
    return np.array([f"g{number}" for number in range(count)], object)


def test_near_duplicates_finds_none_among_marks_of_one_kind(patches):
    assert near_duplicates(patches, _groups(6), 0.8).empty


@pytest.mark.parametrize(
    "change",
    [
        lambda one: cv2.imdecode(cv2.imencode(".jpg", one, [cv2.IMWRITE_JPEG_QUALITY, 92])[1], 0),
        lambda one: (one * 0.9 + 20).astype(np.uint8),
    ],
    ids=["stored as JPEG", "brighter"],
)
def test_near_duplicates_finds_a_picture_stored_again(patches, change):
    pairs = near_duplicates(np.concatenate([patches, change(patches[2])[None]]), _groups(7), 0.8)
    assert pairs[["one", "other"]].to_numpy().tolist() == [[2, 6]]


def test_near_duplicates_within_a_group_are_no_news(patches):
    twice = np.concatenate([patches[:1], patches[:1]])
    assert near_duplicates(twice, np.array(["g", "g"], object), 0.8).empty


def test_near_duplicates_passes_patches_without_detail():
    assert near_duplicates(np.full((3, 112, 112), 255, np.uint8), _groups(3), 0.8).empty
