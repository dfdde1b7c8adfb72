"""Views of the line: folders of images, folders of folders, captures."""

import cv2
import numpy as np
import pytest

from glassline.errors import DataError
from glassline.vision.views import open_views


def test_a_folder_of_images_is_one_view_in_order_of_names(write_shift, tmp_path):
    (view,) = open_views(write_shift(tmp_path / "line", images=3))
    assert (view.name, view.names) == ("line", ("000.png", "001.png", "002.png"))


def test_views_of_any_place_are_alike(write_shift, tmp_path, place, send):
    for name in ("left", "right"):
        write_shift(tmp_path / "line" / name, images=3, seed=len(name))
    cv2.imwrite(str(tmp_path / "line" / "left" / "003.tif"), np.full((128, 128), 7, np.uint8))
    views = open_views(send(tmp_path / "line", place))
    assert [(view.name, len(view.names)) for view in views] == [("left", 4), ("right", 3)]
    with views[0] as view, open_views(tmp_path / "line")[0] as local:
        view.load()
        local.load()
        for number in range(4):
            np.testing.assert_array_equal(view.rows(number, 5, 30), local.rows(number, 5, 30))


def test_labels_beside_images_are_no_view(write_shift, tmp_path):
    write_shift(tmp_path / "line", images=3)
    write_shift(tmp_path / "line" / "Label", images=3)
    assert [view.name for view in open_views(tmp_path / "line")] == ["line"]


def test_every_subfolder_is_a_view(write_shift, tmp_path):
    for name in ("left", "right"):
        write_shift(tmp_path / name, images=2)
    (tmp_path / "notes").mkdir()
    assert [view.name for view in open_views(tmp_path)] == ["left", "right"]


def test_captures_have_a_view_per_zone_and_light_state(write_labelled, tmp_path):
    views = open_views(write_labelled(tmp_path / "captures", glasses=3, size_px=96))
    assert [view.name for view in views] == ["zone-00-light-0", "zone-00-light-90"]
    with views[1] as view:
        view.load()
        assert view.names[0] == "G0000.zarr/clean-00"
        assert view.rows(2, 4, 9).shape == (5, 96)
        assert view.rows(2, 4, 9).dtype == np.uint16


@pytest.mark.parametrize("name", ["empty", "missing"])
def test_a_place_without_images_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=name):
        open_views(tmp_path / name)
