"""Inspected glasses: verdicts, overlays, and what is refused."""

import json

import numpy as np
import pytest

from glassline.data.captures.store import open_captures
from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspector import VERDICT, inspect_glass
from glassline.deploy.segmenter import Segmenter
from glassline.errors import DataError, StorageError
from glassline.vision.scratches import FindSettings


@pytest.fixture
def segmenter(segmenter_bundle) -> Segmenter:
    """A network that takes what is bright for a scratch."""
    segmenter = Segmenter(load_bundle(segmenter_bundle), threads=1)
    segmenter.find = FindSettings(least_points=1)

    def run(sigmas_BSHW):
        batch, _, height, width = sigmas_BSHW.shape
        blocks = sigmas_BSHW.max(axis=1).reshape(batch, height // 2, 2, width // 2, 2)
        return (blocks.max(axis=(2, 4)) > 30).astype(np.float32)

    segmenter.run = run
    return segmenter


@pytest.fixture
def captures(tmp_path):
    return open_captures(tmp_path / "captures")


def _good(dark_zone):
    return dark_zone(scratches=0, dust=0, size_px=128)[0]


def test_good_glass_has_a_verdict_and_no_picture(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    verdict = inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert (verdict.verdict, verdict.product, verdict.cycle) == ("good", "P1", "2026a")
    assert [path.name for path in (tmp_path / "out" / "G0001").iterdir()] == [VERDICT]


def test_defective_glass_tells_where_the_scratch_lies(captures, segmenter, tmp_path, dark_zone, zone_meta):
    frames_SHW, scratches_HW = dark_zone(scratches=1, dust=0, size_px=128)
    captures.write(zone_meta(), _good(dark_zone))
    captures.write(zone_meta(zone=1, stage_x_mm=100, stage_y_mm=-20), frames_SHW)
    inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "G0001" / VERDICT).read_text())
    assert (told["verdict"], [zone["verdict"] for zone in told["zones"]]) == ("defective", ["good", "defective"])
    assert (told["format_version"], told["bundle_sha256"]) == (1, segmenter.bundle_hash)
    (scratch,) = told["zones"][1]["scratches"]
    rows, columns = np.nonzero(scratches_HW)
    assert scratch["x_mm"] == pytest.approx(100 + 0.01 * (columns.min() + columns.max()) / 2, abs=0.04)
    assert scratch["y_mm"] == pytest.approx(-20 + 0.01 * (rows.min() + rows.max()) / 2, abs=0.04)
    assert scratch["length_um"] == pytest.approx(600, rel=0.2)
    picture = (tmp_path / "out" / "G0001" / told["zones"][1]["overlay"]).read_bytes()
    assert picture.startswith(b"\x89PNG")


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
def test_a_zone_that_cannot_be_trusted_refuses_its_glass(
    captures, segmenter, tmp_path, dark_zone, zone_meta, broken, match
):  # fmt: skip
    captures.write(zone_meta(), _good(dark_zone))
    frames_SHW, meta = broken(_good(dark_zone), lambda **changes: zone_meta(zone=1, **changes))
    captures.write(meta, frames_SHW)
    verdict = inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert (verdict.verdict, [zone.verdict for zone in verdict.zones]) == ("refused", ["good", "refused"])
    assert verdict.reason.startswith("G0001.zarr/clean-01 must")
    assert match in verdict.reason


def test_a_damaged_chunk_refuses_the_glass(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    chunk = next(path for path in (tmp_path / "captures").rglob("c/**/*") if path.is_file())
    chunk.write_bytes(chunk.read_bytes()[:-9] + b"otherwise")
    verdict = inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert verdict.verdict == "refused"
    assert "zone clean-00 of glass G0001 must be as it was written, got a damaged" in verdict.reason


def test_an_unfinished_zone_refuses_the_glass(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    captures.write(zone_meta(zone=1), _good(dark_zone))
    (tmp_path / "captures" / "G0001.zarr" / "clean-01" / "manifest.json").unlink()
    verdict = inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert (verdict.verdict, [zone.verdict for zone in verdict.zones]) == ("refused", ["good", "refused"])


def test_a_glass_without_zones_is_refused(captures, segmenter, tmp_path):
    verdict = inspect_glass(captures, "G0009", segmenter, tmp_path / "out")
    assert (verdict.verdict, verdict.zones) == ("refused", ())
    assert "G0009 must have at least one clean zone" in verdict.reason


@pytest.mark.parametrize("glass", ["../verdicts", ".", "", "a/b"])
def test_a_name_that_is_no_glass_id_touches_no_folder(captures, segmenter, tmp_path, glass):
    (tmp_path / "verdicts").mkdir()
    (tmp_path / "verdicts" / "kept").touch()
    with pytest.raises(DataError, match="a glass id must be letters"):
        inspect_glass(captures, glass, segmenter, tmp_path / "verdicts")
    assert (tmp_path / "verdicts" / "kept").exists()


def test_a_zone_smaller_than_a_tile_is_judged(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone)[:, :37, :50])
    assert inspect_glass(captures, "G0001", segmenter, tmp_path / "out").verdict == "good"


def test_a_folder_of_something_else_is_left_alone(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    raw = tmp_path / "out" / "G0001" / "clean-0" / "0.tif"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"raw")
    with pytest.raises(StorageError, match=r"must be free or hold the verdict\.json of an earlier inspection"):
        inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert raw.read_bytes() == b"raw"


def test_an_earlier_verdict_is_replaced_whole(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    (tmp_path / "out" / "G0001").mkdir(parents=True)
    (tmp_path / "out" / "G0001" / "clean-07.png").write_bytes(b"stale")
    (tmp_path / "out" / "G0001" / VERDICT).write_bytes(b"{}")
    inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "G0001").iterdir()] == [VERDICT]


def test_a_killed_inspection_leaves_nothing(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))

    def killed(sigmas_BSHW):
        raise KeyboardInterrupt

    segmenter.run = killed
    with pytest.raises(KeyboardInterrupt):
        inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_may_not_be_written_is_refused(captures, segmenter, tmp_path, dark_zone, zone_meta):
    captures.write(zone_meta(), _good(dark_zone))
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="must be a folder that may be written"):
        inspect_glass(captures, "G0001", segmenter, tmp_path / "out")
