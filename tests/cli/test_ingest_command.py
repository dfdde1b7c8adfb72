"""`glassline ingest` as its user sees it."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures

Glassline = Callable[..., subprocess.CompletedProcess[str]]


def test_ingest_tells_what_it_sent_and_nothing_the_second_time(glassline: Glassline, tmp_path: Path) -> None:
    meta = ZoneMeta(
        product="P1", cycle="2026a", glass="G1", kind="clean", zone=0, stage_x_mm=0, stage_y_mm=0, exposure_us=(900.0,),
        gain_db=0, azimuths_deg=(0.0,), camera_model="C", camera_serial="1", pattern="mono", bit_depth=12,
        pitch_um=11.4, overlap_px=0, taken_utc="2026-01-02T03:04:05Z",
    )  # fmt: skip
    captures = open_captures(tmp_path / "session")
    captures.write(meta, np.zeros((1, 8, 8), np.uint16))
    other = meta.model_copy(update={"glass": "G0"})  # of another session: the hash printed is this one's
    open_captures(tmp_path / "kept").write(other, np.zeros((1, 8, 8), np.uint16))
    first, again = (glassline("ingest", tmp_path / "session", "--to", tmp_path / "kept") for _ in range(2))
    assert "1 zones, 1 sent: 3 files" in first.stdout
    assert "1 zones, 0 sent: 0 files, 0 bytes" in again.stdout
    assert captures.content_hash() in again.stdout


def test_ingest_without_keys_is_one_line_and_exit_1(glassline: Glassline, tmp_path: Path) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    captures = open_captures(tmp_path / "session").location
    captures.write("G1.zarr/clean-00/manifest.json", b"{}")
    done = glassline("ingest", tmp_path / "session", "--to", "s3://bucket/kept", **keys)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: S3 must be given its keys in the environment, got no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; "
        "export them"
    ]
