"""A session is moved and read again: what the two steps return, refuse and leave in MLflow."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures
from glassline.data.captures.zone_list import read_zone_list
from glassline.errors import DataError, SettingsError
from glassline.steps.ingest_captures import ingest_captures
from glassline.steps.verify_captures import verify_captures
from glassline.tracking import client


@pytest.fixture
def session(tmp_path: Path) -> Path:
    for zone in range(2):
        meta = ZoneMeta(
            product="P1", cycle="2026a", glass="G1", kind="clean", zone=zone, stage_x_mm=0, stage_y_mm=0,
            exposure_us=(900.0, 900.0), gain_db=0, azimuths_deg=(0.0, 90.0), camera_model="C", camera_serial="1",
            pattern="mono", bit_depth=12, pitch_um=11.4, overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
        )  # fmt: skip
        frames_SHW = np.random.default_rng(zone).integers(0, 4096, (2, 30, 40), dtype=np.uint16)
        open_captures(tmp_path / "session").write(meta, frames_SHW)
    return tmp_path / "session"


def _last_run(step: str):
    found = client().get_experiment_by_name("glassline")
    return client().search_runs([found.experiment_id], f"tags.`glassline.step` = '{step}'", max_results=1)[0]


def test_ingest_and_verify_return_a_list_named_by_the_hash_of_what_was_captured(session: Path, tmp_path: Path) -> None:
    zones = ingest_captures(str(session), "", str(tmp_path / "kept"))
    assert Path(zones).stem == open_captures(session).content_hash()
    assert verify_captures(zones) == zones


def test_ingest_returns_the_same_of_the_same_zones_so_that_later_steps_come_from_the_cache(
    session: Path, tmp_path: Path
) -> None:
    first, again = (ingest_captures(str(session), "", str(tmp_path / "kept")) for _ in range(2))
    assert first == again
    assert open_captures(tmp_path / "kept").zones() == open_captures(session).zones()


def test_ingest_lists_its_own_session_and_no_other(
    session: Path, tmp_path: Path, zone_meta: Callable[..., ZoneMeta]
) -> None:
    kept = tmp_path / "kept"
    open_captures(kept).write(zone_meta(glass="G9"), np.zeros((6, 8, 8), np.uint16))
    _, refs = read_zone_list(ingest_captures(str(session), "", str(kept)))
    assert refs == open_captures(session).zones()


def test_ingest_logs_what_it_sent_and_nothing_the_second_time(session: Path, tmp_path: Path) -> None:
    ingest_captures(str(session), "", str(tmp_path / "kept"))
    first = _last_run("ingest_captures").data.metrics
    ingest_captures(str(session), "", str(tmp_path / "kept"))
    again = _last_run("ingest_captures").data.metrics
    assert (first["zones"], first["zones_sent"], first["files_sent"]) == (2, 2, 6)
    assert (again["zones"], again["files_sent"], again["bytes_sent"]) == (2, 0, 0)


def test_ingest_refuses_a_secret_in_the_url_before_it_is_logged(session: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        ingest_captures(str(session), "", "s3://KEY:hidden@bucket")
    assert "hidden" not in str(refused.value)


def test_verify_shows_every_zone_and_a_contact_sheet(session: Path, zone_list: Callable[[Path], str]) -> None:
    verify_captures(zone_list(session))
    run = _last_run("verify_captures")
    assert run.data.metrics["zones"] == 2
    logged = [one.path for folder in ("figures", "tables") for one in client().list_artifacts(run.info.run_id, folder)]
    assert logged == ["figures/zones.png", "tables/zones.json"]


def test_verify_names_the_zone_that_has_changed_and_logs_it(session: Path, zone_list: Callable[[Path], str]) -> None:
    zones = zone_list(session)
    chunk = session / "G1.zarr" / "clean-01" / "c" / "0" / "0" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"1 changed zones of 2: G1\.zarr/clean-01 \(.*c/0/0/0 has changed"):
        verify_captures(zones)
    assert _last_run("verify_captures").data.metrics["zones_wrong"] == 1


def test_verify_refuses_a_zone_that_was_taken_anew(
    session: Path, zone_list: Callable[[Path], str], zone_meta: Callable[..., ZoneMeta]
) -> None:
    zones = zone_list(session)
    shutil.rmtree(session / "G1.zarr" / "clean-01")
    open_captures(session).write(zone_meta(glass="G1", zone=1), np.zeros((6, 8, 8), np.uint16))
    with pytest.raises(DataError, match="must be those that were ingested"):
        verify_captures(zones)


def test_verify_names_a_zone_that_is_gone(session: Path, zone_list: Callable[[Path], str]) -> None:
    zones = zone_list(session)
    (session / "G1.zarr" / "clean-01" / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"G1\.zarr/clean-01 must be a whole zone"):
        verify_captures(zones)
