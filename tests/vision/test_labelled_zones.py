"""Zones with masks: windows are cuts of the whole, light states come in the format's order, what differs is refused."""

import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures
from glassline.data.captures.window import Window
from glassline.data.importers import read_source
from glassline.data.labels import Labels, ZoneLabels
from glassline.errors import DataError
from glassline.vision.labelled_zones import LabelledZones

WINDOWS = [Window(0, 0, 160, 160), Window(12, 30, 66, 66), Window(94, 94, 66, 66)]
SIX = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)


@pytest.fixture(scope="module")
def captured(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> LabelledZones:
    """Return three zones of 160 px: a scratch, a dent, nothing."""
    return LabelledZones(read_source(write_labelled(tmp_path_factory.mktemp("c"), glasses=3), "captures"), ["scratch"])


@pytest.fixture(scope="module")
def grey(tmp_path_factory: pytest.TempPathFactory) -> LabelledZones:
    """Return an image with a crack, one with a crack that is not looked for, and one without any."""
    folder, rng = tmp_path_factory.mktemp("grey"), np.random.default_rng(0)
    for label in ("crack", "blowhole", "free"):
        (folder / label / "Imgs").mkdir(parents=True)
        mask_HW = np.zeros((160, 160), np.uint8)
        mask_HW[40:44, 20:90] = 255 * (label != "free")
        cv2.imwrite(str(folder / label / "Imgs" / "1.jpg"), rng.integers(0, 256, (160, 160), dtype=np.uint8))
        cv2.imwrite(str(folder / label / "Imgs" / "1.png"), mask_HW)
    return LabelledZones(read_source(folder, "mask-folder"), ["crack"])


def test_grey_images_of_any_place_are_alike(grey: LabelledZones, place: str, send: Callable[[Path, str], str]) -> None:
    zones = LabelledZones(read_source(send(Path(grey.root), place), "mask-folder"), ["crack"])
    assert zones.format() == grey.format()
    for number in range(3):
        np.testing.assert_array_equal(zones.frames(number, zones.format()), grey.frames(number, grey.format()))
        np.testing.assert_array_equal(zones.mask(number), grey.mask(number))
        assert zones.truth_hash(number) == grey.truth_hash(number)


@pytest.fixture
def write(tmp_path: Path, zone_meta: Callable[..., ZoneMeta]) -> Callable[..., LabelledZones]:
    """Write a zone for each change of how it was taken; a frame holds its azimuth: write({}, {"bit_depth": 16})."""

    def write(*changes: dict) -> LabelledZones:
        captures, zones = open_captures(tmp_path), []
        for number, changed in enumerate(changes):
            meta = zone_meta(glass=f"G{number:04d}", **changed)
            frames_SHW = np.ones((1, 64, 64)) * np.reshape(meta.azimuths_deg, (-1, 1, 1))
            captures.write(meta, frames_SHW.astype(np.uint16))
            zones.append(ZoneLabels(glass=meta.glass, zone=0, width_px=64, height_px=64))
        content = captures.content_hash([zone.ref for zone in zones])
        labels = Labels(captures=".", captures_hash=content, classes=("scratch", "control"), zones=tuple(zones))
        labels.write(tmp_path / "labels.json")
        return LabelledZones(read_source(tmp_path, "captures"), ["scratch"])

    return write


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("kind", ["captured", "grey"])
def test_window_is_the_cut_of_the_whole(kind: str, window: Window, request: pytest.FixtureRequest) -> None:
    zones = request.getfixturevalue(kind)
    cut = window.pixels
    of = zones.format()
    for number in range(len(zones)):
        np.testing.assert_array_equal(zones.frames(number, of, window), zones.frames(number, of)[:, *cut])
        np.testing.assert_array_equal(zones.mask(number, window), zones.mask(number)[cut])


def test_mask_is_where_a_class_lies_that_is_looked_for(captured: LabelledZones) -> None:
    frames_SHW, mask_HW = captured.frames(0, captured.format()), captured.mask(0)
    assert mask_HW.sum() == 24 * 4
    assert frames_SHW[1][mask_HW].min() > 2000 > frames_SHW[1][~mask_HW].max()
    assert [captured.has_any(number) for number in range(3)] == [True, False, False]
    assert not captured.mask(1).any()
    assert not captured.mask(2).any()


def test_mask_of_grey_images_is_their_mask_image_of_the_class(grey: LabelledZones) -> None:
    by_label = dict(zip((Path(image).parts[0] for image in grey.images), range(3), strict=True))
    assert grey.mask(by_label["crack"]).sum() == 4 * 70
    assert not grey.mask(by_label["blowhole"]).any()
    assert {label: grey.has_any(number) for label, number in by_label.items()} == {
        "crack": True, "blowhole": False, "free": False,
    }  # fmt: skip


def test_grey_images_have_one_state_of_8_bit(grey: LabelledZones) -> None:
    of = grey.format()
    assert (of.states, of.pattern, of.bit_depth, of.azimuths_deg) == (1, "mono", 8, ())
    assert grey.frames(0, of).shape == (1, 160, 160)
    assert grey.captures is None


def test_another_order_of_lights_is_brought_into_the_formats(write: Callable[..., LabelledZones]) -> None:
    zones = write({}, {"azimuths_deg": (90, 30, 0, 60, 150, 120)})
    of = zones.format()
    assert of.azimuths_deg == SIX
    for number in range(2):
        assert tuple(zones.frames(number, of)[:, 5, 7]) == SIX
        assert tuple(zones.frames(number, of, Window(0, 0, 8, 8))[:, 5, 7]) == SIX


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"azimuths_deg": SIX[:5], "exposure_us": (900,) * 5}, "150 degrees, .* got 0, 30, 60, 90, 120 degrees"),
        ({"azimuths_deg": (0, 30, 60, 90, 120, 135)}, "got 0, 30, 60, 90, 120, 135 degrees, GRBG, 12 bit"),
        ({"pattern": "BGGR"}, "got .*, BGGR, 12 bit"),
        ({"bit_depth": 10}, "got .*, GRBG, 10 bit"),
    ],
)
def test_zone_of_another_arrangement_is_refused_by_name(
    write: Callable[..., LabelledZones], changed: dict, told: str
) -> None:
    zones = write({}, changed)
    with pytest.raises(DataError, match=rf"^G0001\.zarr/clean-00 .*{told}"):
        zones.format()


def test_grey_images_of_16_bit_are_refused(tmp_path: Path) -> None:
    (tmp_path / "crack").mkdir()
    cv2.imwrite(str(tmp_path / "crack" / "1.png"), np.zeros((64, 64), np.uint16))
    zones = LabelledZones(read_source(tmp_path, "image-folder"), ["crack"])
    with pytest.raises(DataError, match=r"must have 8 bit to be segmented, got \[16\]; ingest them as captures"):
        zones.format()


def test_class_that_the_table_lacks_is_refused(captured: LabelledZones, write_labelled, tmp_path: Path) -> None:
    table = read_source(write_labelled(tmp_path / "c", glasses=1), "captures")
    with pytest.raises(DataError, match=r"labels must be among the classes .* got \['crack'\]; name the classes"):
        LabelledZones(table, ["crack", "scratch"])


def test_zones_travel_to_another_process(captured: LabelledZones) -> None:
    there = pickle.loads(pickle.dumps(captured))
    of = captured.format()
    np.testing.assert_array_equal(there.frames(0, of), captured.frames(0, of))


def test_truth_hash_follows_what_a_mask_file_holds(grey: LabelledZones) -> None:
    crack = grey.images.index(next(image for image in grey.images if image.startswith("crack/")))
    mask = Path(grey.root) / "crack" / "Imgs" / "1.png"
    before, content = grey.truth_hash(crack), mask.read_bytes()
    try:
        cv2.imwrite(str(mask), np.zeros((160, 160), np.uint8))
        assert grey.truth_hash(crack) != before
    finally:
        mask.write_bytes(content)
    assert grey.truth_hash(crack) == before


def test_truth_hash_differs_by_what_is_looked_for(captured: LabelledZones) -> None:
    assert len({captured.truth_hash(number) for number in (0, 1)}) == 2
    assert captured.truth_hash(1) == captured.truth_hash(2)  # a dent is background here, as is nothing
