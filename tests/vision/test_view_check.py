"""Images that cannot tell what repeats."""

import numpy as np
import pytest

from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.view_check import check_copies, check_size
from glassline.vision.view_spool import view_of_files


def _view(tmp_path, images):
    paths = [tmp_path / f"{number:02d}.npy" for number in range(len(images))]
    for path, grey_HW in zip(paths, images, strict=True):
        np.save(path, grey_HW)
    view = view_of_files("view", [path.name for path in paths], open_store(tmp_path))
    view.load()
    return view


def _drawn(count, size=(20, 30)):
    return list(np.random.default_rng(0).integers(0, 255, (count, *size)).astype(np.uint8))


def test_copies_are_named(tmp_path):
    images = _drawn(20)
    images[13], images[15] = images[11], images[12]
    view = _view(tmp_path, images)
    with pytest.raises(DataError, match=r"got 2 copies among the 10 from 10.npy on \(13.npy is 11.npy\)"):
        check_copies(view, [range(10), range(10, 20)])


def test_one_copy_in_ten_is_let_pass_and_one_per_window_no_copy(tmp_path):
    images = _drawn(20)
    images[1], images[12], images[13] = images[0], images[0], images[2]
    check_copies(_view(tmp_path, images), [range(10), range(10, 20)])


def test_blank_images_are_copies(tmp_path):
    with pytest.raises(DataError, match="blank ones"):
        check_copies(_view(tmp_path, [np.zeros((20, 30), np.uint8)] * 5), [range(5)])


@pytest.mark.parametrize("size", [(15, 40), (40, 1)])
def test_images_too_small_for_a_line_are_refused(tmp_path, size):
    with pytest.raises(DataError, match=f"got {size[1]} x {size[0]} of view"):
        check_size(_view(tmp_path, _drawn(2, size)))
