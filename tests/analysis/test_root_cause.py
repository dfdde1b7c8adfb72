"""What repeats on the line, and since when."""

import pytest

from glassline.analysis.root_cause import find_root_cause, window_starts
from glassline.errors import DataError
from glassline.vision.repeating_marks import RootCauseSettings

SETTINGS = RootCauseSettings(window=10)


def test_windows_follow_one_another_and_the_last_ends_with_the_last_image():
    assert window_starts(30, 30) == [0]
    assert window_starts(75, 30) == [0, 30, 45]
    assert window_starts(60, 30) == [0, 30]


def test_one_mark_in_several_windows_is_one_finding_with_its_first_image(write_shift, tmp_path):
    (result,) = find_root_cause(write_shift(tmp_path / "line", images=30, since=7), SETTINGS)
    (mark,) = result.marks
    assert result.windows == 3
    assert mark.images == tuple(range(7, 30))


def test_views_are_looked_at_apart(write_shift, tmp_path):
    write_shift(tmp_path / "good", images=10, since=None)
    write_shift(tmp_path / "worn", images=10)
    found = find_root_cause(tmp_path, SETTINGS)
    assert [(result.view, len(result.marks)) for result in found] == [("good", 0), ("worn", 1)]


def test_what_good_glasses_show_too_is_no_finding(write_shift, tmp_path):
    write_shift(tmp_path / "line", images=10)
    write_shift(tmp_path / "good", images=12, seed=5)
    (result,) = find_root_cause(tmp_path / "line", SETTINGS, tmp_path / "good")
    assert result.marks == ()


def test_fewer_images_than_a_window_name_both_numbers(write_shift, tmp_path):
    with pytest.raises(DataError, match=r"--window 10 for the 4 images of line"):
        find_root_cause(write_shift(tmp_path / "line", images=4), SETTINGS)


def test_reference_without_a_view_names_it(write_shift, tmp_path):
    for name in ("all/a", "all/b", "good/a", "good/c"):
        write_shift(tmp_path / name, images=10)
    with pytest.raises(DataError, match="none of b below"):
        find_root_cause(tmp_path / "all", SETTINGS, tmp_path / "good")


def test_reference_of_another_size_is_refused(write_shift, tmp_path):
    write_shift(tmp_path / "line", images=10)
    write_shift(tmp_path / "good", images=10, size_px=96)
    with pytest.raises(DataError, match="128 x 128 px, got 96 x 96 px"):
        find_root_cause(tmp_path / "line", SETTINGS, tmp_path / "good")


def test_a_reference_of_too_few_images_is_refused(write_shift, tmp_path):
    write_shift(tmp_path / "line", images=10)
    write_shift(tmp_path / "good", images=9)
    with pytest.raises(DataError, match="10 images or more, got 9"):
        find_root_cause(tmp_path / "line", SETTINGS, tmp_path / "good")
