"""Inspected glasses: verdicts, overlays, and what is refused."""

import numpy as np
import pytest

from glassline.data.captures.store import open_captures
from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspection.journal import Journal
from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.run import Inspection
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.scratches import ScratchInspector
from glassline.vision.scratches import FindSettings
from tests.deploy.inspection.conftest import lines_of


@pytest.fixture
def inspector(segmenter_bundle) -> ScratchInspector:
    """A network that takes what is bright for a scratch."""
    inspector = ScratchInspector(load_bundle(segmenter_bundle), Running(threads=1))
    inspector.segmenter.find = FindSettings(least_points=1)

    def run(sigmas_BSHW):
        batch, _, height, width = sigmas_BSHW.shape
        blocks = sigmas_BSHW.max(axis=1).reshape(batch, height // 2, 2, width // 2, 2)
        return (blocks.max(axis=(2, 4)) > 30).astype(np.float32)

    inspector.segmenter.run = run
    return inspector


@pytest.fixture
def inspect(inspector, segmenter_bundle, tmp_path):
    """Inspect the captures and return the lines."""

    def run(place="captures"):
        with Journal(tmp_path / "out") as journal:
            inspection = Inspection(inspector, load_bundle(segmenter_bundle), Running(), journal)
            list(inspection.judge(list_units([str(tmp_path / place)], by_glass=True)))
        return lines_of(tmp_path / "out")

    return run


@pytest.fixture
def captures(tmp_path):
    return open_captures(tmp_path / "captures")


def _good(dark_zone):
    return dark_zone(scratches=0, dust=0, size_px=128)[0]


def test_good_glass_has_a_verdict_and_no_picture(captures, inspect, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    (line,) = inspect()
    assert (line["unit"], line["verdict"], line["product"], line["cycle"]) == ("G0001", "good", "P1", "2026a")
    assert not (tmp_path / "out" / "overlays").exists()


def test_defective_glass_tells_where_the_scratch_lies(captures, inspect, tmp_path, dark_zone, zone_meta):
    frames_SHW, scratches_HW = dark_zone(scratches=1, dust=0, size_px=128)
    captures.write(zone_meta(), _good(dark_zone))
    captures.write(zone_meta(zone=1, stage_x_mm=100, stage_y_mm=-20), frames_SHW)
    (told,) = inspect()
    assert (told["verdict"], [zone["verdict"] for zone in told["zones"]]) == ("defective", ["good", "defective"])
    (scratch,) = told["defects"]
    rows, columns = np.nonzero(scratches_HW)
    assert scratch["zone"] == 1
    assert scratch["x_mm"] == pytest.approx(100 + 0.01 * (columns.min() + columns.max()) / 2, abs=0.04)
    assert scratch["y_mm"] == pytest.approx(-20 + 0.01 * (rows.min() + rows.max()) / 2, abs=0.04)
    assert scratch["length_um"] == pytest.approx(600, rel=0.2)
    (overlay,) = told["overlays"]
    assert (tmp_path / "out" / overlay).read_bytes().startswith(b"\x89PNG")


def test_a_glass_is_judged_again_when_a_zone_comes_in(captures, inspect, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    assert len(inspect()) == len(inspect()) == 1
    captures.write(zone_meta(zone=1), _good(dark_zone))
    assert [len(line["zones"]) for line in inspect()] == [1, 2]


def test_one_glass_is_named_by_its_folder(captures, inspect, dark_zone, zone_meta):
    for glass in ("G0001", "G0002"):
        captures.write(zone_meta(glass=glass), _good(dark_zone))
    assert [line["unit"] for line in inspect("captures/G0002.zarr")] == ["G0002"]


def test_an_image_is_no_capture(inspect, write_image):
    (line,) = inspect(write_image("a.png").name)
    assert line["verdict"] == "refused"
    assert "must be a capture with all light states" in line["reason"]


def _missing_state(frames_SHW, meta):
    return frames_SHW[:5], meta(azimuths_deg=(0, 30, 60, 90, 120), exposure_us=(1.0,) * 5)


def _other_azimuths(frames_SHW, meta):
    return frames_SHW, meta(azimuths_deg=(10, 40, 70, 100, 130, 160))


def _other_pattern(frames_SHW, meta):
    return frames_SHW, meta(pattern="RGGB")


def _saturated(frames_SHW, meta):
    frames_SHW[3, :40] = 4095
    return frames_SHW, meta()


def _black(frames_SHW, meta):
    frames_SHW[2] = 0
    return frames_SHW, meta()


@pytest.mark.parametrize(
    ("broken", "match"),
    [
        (_missing_state, "must have the light states 0, 30, 60, 90, 120, 150"),
        (_other_azimuths, "got 10, 40, 70, 100, 130, 160"),
        (_other_pattern, "must have the pattern GRBG and 12 bit"),
        (_saturated, "got 31% in state 3; lower the exposure"),
        (_black, "got 100% of state 2 without any"),
    ],
)
def test_a_zone_that_cannot_be_trusted_refuses_its_glass(captures, inspect, dark_zone, zone_meta, broken, match):
    captures.write(zone_meta(), _good(dark_zone))
    frames_SHW, meta = broken(_good(dark_zone), lambda **changes: zone_meta(zone=1, **changes))
    captures.write(meta, frames_SHW)
    (line,) = inspect()
    assert (line["verdict"], [zone["verdict"] for zone in line["zones"]]) == ("refused", ["good", "refused"])
    assert line["reason"].startswith("G0001.zarr/clean-01 must")
    assert match in line["reason"]


def test_a_damaged_chunk_refuses_the_glass(captures, inspect, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    chunk = next(path for path in (tmp_path / "captures").rglob("c/**/*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-9] + b"otherwise")
    (line,) = inspect()
    assert line["verdict"] == "refused"
    assert "zone clean-00 of glass G0001 must be as it was written, got a damaged" in line["reason"]


def test_an_unfinished_zone_refuses_the_glass(captures, inspect, tmp_path, dark_zone, zone_meta):
    for zone in (0, 1):
        captures.write(zone_meta(zone=zone), _good(dark_zone))
    (tmp_path / "captures" / "G0001.zarr" / "clean-01" / "manifest.json").unlink()
    (line,) = inspect()
    assert (line["verdict"], [zone["verdict"] for zone in line["zones"]]) == ("refused", ["good", "refused"])


def test_a_zone_smaller_than_a_tile_is_judged(captures, inspect, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone)[:, :37, :50])
    assert inspect()[0]["verdict"] == "good"


def test_a_killed_inspection_leaves_nothing(captures, inspect, inspector, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))

    def killed(sigmas_BSHW):
        raise KeyboardInterrupt

    inspector.segmenter.run = killed
    with pytest.raises(KeyboardInterrupt):
        inspect()
    assert lines_of(tmp_path / "out") == []
