"""Grey images of zones of captures, beside files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.errors import DataError
from glassline.vision.bayer import grey_of_states
from glassline.vision.zone_images import grey_reader

ZONE = "G0000.zarr/clean-00"


@pytest.fixture
def captures(write_labelled: Callable[..., Path], tmp_path: Path) -> Path:
    return write_labelled(tmp_path / "captures", glasses=1)


def test_grey_reader_maps_the_maximum_over_light_states_by_the_window(captures: Path) -> None:
    levels_HW = grey_of_states(open_captures(captures).read(ZoneRef.of_path(ZONE)), "GRBG")
    grey_HW = grey_reader(str(captures), (100, 2500), None)(ZONE)
    expected_HW = np.clip((levels_HW.astype(float) - 100) / 2400, 0, 1) * 255
    assert grey_HW.dtype == np.uint8
    assert np.abs(grey_HW - expected_HW).max() <= 0.5


def test_grey_reader_looks_at_one_light_state_when_told(captures: Path) -> None:
    first, second = (grey_reader(str(captures), (0, 4095), state)(ZONE) for state in (0, 1))
    assert first.max() < 60 < second.max()


def test_grey_reader_refuses_twelve_bit_without_a_window_and_names_the_zone(captures: Path) -> None:
    with pytest.raises(DataError, match=f"{ZONE} has more than 8 bit.*depth_window"):
        grey_reader(str(captures), None, None)(ZONE)


def test_grey_reader_names_the_zone_without_the_light_state(captures: Path) -> None:
    with pytest.raises(DataError, match=f"{ZONE}: light_state must be one of the 2"):
        grey_reader(str(captures), (0, 4095), 7)(ZONE)


def test_grey_reader_reads_a_file_and_refuses_light_states_of_it(
    write_image: Callable[..., Path], tmp_path: Path
) -> None:
    write_image("a/b.png", pixels=np.full((4, 5), 7, np.uint8))
    assert (grey_reader(str(tmp_path), None, None)("a/b.png") == 7).all()
    with pytest.raises(DataError, match=r"a/b.png is no capture.*got 2"):
        grey_reader(str(tmp_path), None, 2)("a/b.png")
