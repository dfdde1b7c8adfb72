"""Which units are found, and that nothing on the disk stops the search."""

import os

import pytest

from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.units import ImageUnit, plain
from glassline.errors import DataError


def _names(place):
    return [unit.name.rpartition("/")[2] for unit in list_units([str(place)], by_glass=False)]


def test_images_of_all_folders_are_found_and_other_files_are_not(write_image, tmp_path):
    for name in ("a.png", "sub/b.JPG", "sub/deeper/c.tif"):
        write_image(name)
    for name in ("notes.txt", "d.png.part", ".hidden.png", "e.tmp"):
        (tmp_path / name).write_text("x")
    assert _names(tmp_path) == ["a.png", "b.JPG", "c.tif"]


def test_links_in_a_circle_are_followed_once(write_image, tmp_path):
    write_image("sub/a.png")
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    assert _names(tmp_path).count("a.png") >= 1


def test_what_cannot_be_looked_at_is_named_and_the_rest_is_found(write_image, tmp_path):
    write_image("b.png")
    (tmp_path / "a").symlink_to("x" * 300)
    (tmp_path / "c").symlink_to(tmp_path / "gone")
    units = list(list_units([str(tmp_path)], by_glass=False))
    assert [unit.name for unit in units] == [f"{tmp_path}/a", f"{tmp_path}/b.png"]
    with pytest.raises(
        DataError, match="a must be a folder or file that can be read \\(File name too long\\); check it"
    ):
        units[0].sha256()


def test_the_same_image_is_one_unit_however_often_it_is_named(write_image):
    path = write_image("a.png")
    places = [str(path), str(path.parent), str(path.parent / "." / "a.png")]
    assert len(list(list_units(places, by_glass=False))) == 1


def test_a_file_is_taken_whatever_its_name(write_image, tmp_path):
    path = write_image("a.png").rename(tmp_path / "frame_7")
    assert _names(path) == ["frame_7"]


@pytest.mark.parametrize(("name", "shown"), [("a\nb.png", "a\\nb.png"), ("glas é.png", "glas é.png")])
def test_names_are_told_on_one_line(name, shown):
    assert plain(name) == shown


def test_a_name_that_is_no_text_is_told_escaped():
    assert plain(os.fsdecode(b"a\xff.png")) == "a\\xff.png"


def test_a_jpeg_is_whole_with_its_end_mark(write_image, tmp_path):
    path = write_image("a.jpg")
    whole = path.read_bytes()
    assert ImageUnit(path).ends()
    path.write_bytes(whole[:300] + bytes(len(whole) - 300))
    assert not ImageUnit(path).ends()


def test_a_pipe_is_not_opened_to_see_whether_it_ends(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    assert not ImageUnit(tmp_path / "a.png").ends()
    assert not ImageUnit(tmp_path / "a.png").is_endless()
