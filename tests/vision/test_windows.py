"""Windows over an image and what each shows."""

import numpy as np
import pytest

from glassline.vision.annotated_images import Annotated
from glassline.vision.windows import as_patch, label_windows, window_part, window_starts


def _annotated(size_px: tuple[int, int], *places) -> Annotated:
    index_HW = np.zeros(size_px, np.int32)
    for number, place in enumerate(places, 1):
        index_HW[place] = number
    return Annotated(index_HW, tuple("abcdef"[: len(places)]))


@pytest.mark.parametrize(
    ("size_px", "starts"),
    [(32, [0]), (10, [0]), (64, [0, 16, 32]), (70, [0, 16, 32, 38]), (33, [0, 1]), (1, [0])],
)
def test_windows_begin_at_every_step_and_end_with_the_image(size_px, starts):
    assert window_starts(size_px, 32, 16) == starts


def test_a_window_of_a_smaller_image_is_filled_up_by_reflection():
    grey_HW = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    part = window_part((0, 0), 112, (20, 30))
    assert (part.width_px, part.height_px) == (30, 20)
    patch_HW = as_patch(grey_HW[part.pixels], 112)
    np.testing.assert_array_equal(patch_HW, np.pad(grey_HW, ((0, 92), (0, 82)), "reflect"))


def test_windows_touching_no_defect_are_clean_and_those_in_between_left_out():
    # Of the 20 x 20 px the windows of the first row and column hold a corner of 2 x 2 px: neither of both.
    windows, missed = label_windows(_annotated((96, 96), np.s_[30:50, 30:50]), 32, 32, 0.25)
    told = {window.corner_px: window.label for window in windows}
    assert (0, 0) not in told
    assert told[32, 32] == "a"
    assert told[64, 64] is None
    assert missed == set()


def test_each_defect_has_a_window_centred_on_it_within_the_image():
    windows, _ = label_windows(_annotated((96, 96), np.s_[29:34, 61:66], np.s_[0:3, 93:96]), 32, 32, 0.25)
    told = {window.corner_px: (window.label, window.share) for window in windows}
    assert told[47, 15] == ("a", 1.0)
    assert told[64, 0] == ("b", 1.0)


def test_a_window_wholly_within_a_large_defect_shows_it():
    windows, _ = label_windows(_annotated((128, 128), np.s_[:, :]), 32, 32, 0.25)
    assert {window.label for window in windows} == {"a"}
    assert len(windows) == 17  # sixteen and the centred one


def test_windows_along_a_crack_longer_than_they_are_show_it():
    crack = _annotated((32, 640), np.s_[14:16, :])
    windows, _ = label_windows(crack, 32, 32, 0.25)
    assert len(windows) >= 20
    assert {window.share for window in windows} == {1.0}


def test_of_several_defects_the_one_that_is_held_most_names_the_window():
    windows, _ = label_windows(_annotated((32, 32), np.s_[2:6, 2:6], np.s_[10:30, 10:30]), 32, 32, 0.25)
    assert [window.label for window in windows] == ["b"]


def test_a_curved_defect_is_centred_on_its_pixels():
    index_HW = np.zeros((200, 200), np.int32)
    index_HW[20:180, 20:22], index_HW[20:22, 20:180] = 1, 1  # an angle, whose middle is empty
    windows, _ = label_windows(Annotated(index_HW, ("a",)), 32, 200, 0.9)
    x, y = windows[-1].corner_px
    assert index_HW[y : y + 32, x : x + 32].any()


def test_a_defect_hidden_under_another_is_told():
    _, missed = label_windows(Annotated(np.ones((8, 8), np.int32), ("a", "b")), 32, 32, 0.25)
    assert missed == {1}
