"""Sessions on their way to where captures are kept, in a folder and in S3."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Window, open_captures
from glassline.data.ingest import ingest
from glassline.data.location import Location
from glassline.data.location.s3_client import TRIES
from glassline.errors import DataError, StorageError

_ZONES = 3


def _frames(zone: int) -> np.ndarray:
    return np.random.default_rng(zone).integers(0, 4096, (2, 600, 40), dtype=np.uint16)


def _meta(zone: int, glass: str = "G1") -> ZoneMeta:
    return ZoneMeta(
        product="P1", cycle="2026a", glass=glass, kind="clean", zone=zone, stage_x_mm=0, stage_y_mm=0,
        exposure_us=(900.0, 900.0), gain_db=0, azimuths_deg=(0.0, 90.0), camera_model="C", camera_serial="1",
        pattern="mono", bit_depth=12, pitch_um=11.4, overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
    )  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Path:
    captures = open_captures(tmp_path / "session")
    for zone in range(_ZONES):
        captures.write(_meta(zone), _frames(zone))
    return tmp_path / "session"


@pytest.fixture(params=["folder", "s3"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Captures:
    return open_captures(tmp_path / "kept" if request.param == "folder" else f"{request.getfixturevalue('s3')}/kept")


def test_ingest_moves_every_zone_and_keeps_every_pixel(session: Path, kept: Captures) -> None:
    done = ingest(session, kept.location.url)
    assert (done.zones, done.zones_sent) == (_ZONES, _ZONES)
    assert done.files == _ZONES * 4  # two chunks, zarr.json, manifest.json
    assert kept.content_hash() == open_captures(session).content_hash()
    for zone, ref in enumerate(kept.zones()):
        assert kept.verify(ref) == []
        np.testing.assert_array_equal(kept.read(ref), _frames(zone))


def test_ingest_counts_the_bytes_it_sends(session: Path, kept: Captures) -> None:
    done = ingest(session, kept.location.url)
    files = [path for path in session.rglob("*") if path.is_file() and path.parent.name != "G1.zarr"]
    assert done.size_bytes == sum(path.stat().st_size for path in files)


def test_ingest_sends_nothing_when_run_again(session: Path, kept: Captures) -> None:
    ingest(session, kept.location.url)
    again = ingest(session, kept.location.url)
    assert (again.zones, again.zones_sent, again.files, again.size_bytes) == (_ZONES, 0, 0, 0)


def test_ingest_sends_only_what_is_new_and_leaves_others_alone(session: Path, kept: Captures) -> None:
    kept.write(_meta(0, "G0"), _frames(0))
    ingest(session, kept.location.url)
    open_captures(session).write(_meta(9), _frames(9))
    assert ingest(session, kept.location.url).zones_sent == 1
    assert len(kept.zones()) == _ZONES + 2


def test_ingest_reads_a_window_where_the_zone_went(session: Path, kept: Captures) -> None:
    ingest(session, kept.location.url)
    window = kept.read(ZoneRef("G1", "clean", 1), Window(3, 500, 20, 50))
    np.testing.assert_array_equal(window, _frames(1)[:, 500:550, 3:23])


def test_ingest_leaves_half_written_and_hidden_files_behind(session: Path, kept: Captures) -> None:
    (session / "G1.zarr" / "clean-02" / "manifest.json").unlink()
    (session / "G1.zarr" / ".clean-05.partial").mkdir()
    (session / "G1.zarr" / ".clean-05.partial" / "manifest.json").touch()
    (session / "truth.json").write_text("{}")
    assert ingest(session, kept.location.url).zones == _ZONES - 1
    names = {entry.name.split("/")[1] for entry in kept.location.entries()}
    assert names == {"zarr.json", "clean-00", "clean-01"}


def _chunk(session: Path, zone: int) -> Path:
    return session / "G1.zarr" / f"clean-{zone:02d}" / "c" / "0" / "1" / "0"


def test_ingest_sends_nothing_of_a_zone_that_has_changed(session: Path, kept: Captures) -> None:
    content = bytearray(_chunk(session, 1).read_bytes())
    content[50] ^= 1
    _chunk(session, 1).write_bytes(content)
    with pytest.raises(DataError, match=r"clean-01 must be as it was captured.*c/0/1/0 has changed"):
        ingest(session, kept.location.url)
    assert {entry.name.split("/")[1] for entry in kept.location.entries()} == {"zarr.json", "clean-00"}


def test_ingest_refuses_a_manifest_edited_by_hand(session: Path, kept: Captures) -> None:
    path = session / "G1.zarr" / "clean-00" / "manifest.json"
    told = json.loads(path.read_text())
    told["files"]["zarr.json"][0] += 1
    path.write_text(json.dumps(told))
    with pytest.raises(DataError, match=r"clean-00"):
        ingest(session, kept.location.url)
    assert list(kept.location.entries()) == []


def test_ingest_refuses_another_zone_of_the_same_name(session: Path, kept: Captures) -> None:
    kept.write(_meta(1), _frames(7))
    before = kept.content_hash()
    with pytest.raises(DataError, match=r"clean-01 must be sent to where no other zone has its name"):
        ingest(session, kept.location.url)
    assert kept.content_hash() == before


class _KilledError(Exception):
    pass


def _kill_after(files: int, kept: Captures, monkeypatch: pytest.MonkeyPatch) -> None:
    place, left = type(kept.location), itertools.count(files, -1)
    upload = place.upload

    def until(self: Location, source: Path, name: str) -> None:
        if next(left) <= 0:
            raise _KilledError
        upload(self, source, name)

    monkeypatch.setattr(place, "upload", until)


@pytest.mark.parametrize("files", [0, 1, 3, 4, 6, 11])
def test_ingest_goes_on_where_it_was_killed(
    session: Path, kept: Captures, monkeypatch: pytest.MonkeyPatch, files: int
) -> None:
    with monkeypatch.context() as patch:
        _kill_after(files, kept, patch)
        with pytest.raises(_KilledError):
            ingest(session, kept.location.url)
    assert len(kept.zones()) == files // 4
    assert [kept.verify(ref) for ref in kept.zones()] == [[]] * (files // 4)
    assert ingest(session, kept.location.url).zones_sent == _ZONES - files // 4
    assert [kept.verify(ref) for ref in kept.zones()] == [[]] * _ZONES


def test_ingest_replaces_what_a_killed_one_left_of_a_zone(session: Path, kept: Captures) -> None:
    kept.location.write("G1.zarr/clean-00/c/0/1/0", b"half")
    kept.location.write("G1.zarr/clean-00/c/0/7/0", b"of another size of chunks")
    ingest(session, kept.location.url)
    assert kept.verify(ZoneRef("G1", "clean", 0)) == []


def test_ingest_over_a_line_that_is_cut_loses_nothing(session: Path, s3: str, line) -> None:
    line.cuts, line.after_bytes = TRIES - 1, 20_000  # all of one file, or of several
    ingest(session, f"{s3}/kept")
    assert line.cuts == 0
    kept = open_captures(f"{s3}/kept")
    assert [kept.verify(ref) for ref in kept.zones()] == [[]] * _ZONES


def test_ingest_over_a_line_that_garbles_trusts_no_half_zone(session: Path, s3: str, line) -> None:
    line.garble = (b"dimension_names", b"dimension_nomes")
    with pytest.raises(StorageError, match=r"zarr\.json must arrive as it was sent"):
        ingest(session, f"{s3}/kept")
    assert open_captures(f"{s3}/kept").zones() == []


def test_ingest_tells_how_far_it_is(session: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    ingest(session, tmp_path / "kept", lambda done, total: told.append((done, total)))
    assert told == [(done, _ZONES) for done in range(_ZONES + 1)]


def test_ingest_refuses_a_session_without_a_zone(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"at least one whole zone.*none below .*empty"):
        ingest(tmp_path / "empty", tmp_path / "kept")


def test_ingest_takes_a_session_that_lies_in_s3(session: Path, s3: str, tmp_path: Path) -> None:
    ingest(session, f"{s3}/rig")
    assert ingest(f"{s3}/rig", tmp_path / "kept").zones_sent == _ZONES
    assert open_captures(tmp_path / "kept").content_hash() == open_captures(session).content_hash()
