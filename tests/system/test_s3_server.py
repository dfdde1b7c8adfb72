"""Captures on their way to and from a real S3 server, Ceph's, which refuses, is slow, dies and comes back."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Window, open_captures
from glassline.data.ingest import ingest
from glassline.data.location import open_location
from glassline.data.location.s3_client import transfers
from glassline.errors import DataError, StorageError

_ZONES = 6


@pytest.fixture
def gateway(ceph: Any) -> Iterator[Any]:
    """The gateway that may be harmed; it runs again afterwards."""
    yield ceph
    ceph.revive_gateway()


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    """Six zones of 6 x 1024 x 1024 noise, which hardly shrinks: about 9 MB each."""
    captures = open_captures(tmp_path_factory.mktemp("rig") / "session")
    for zone in range(_ZONES):
        meta = ZoneMeta(
            product="P1", cycle="2026a", glass="G1", kind="clean", zone=zone, stage_x_mm=0, stage_y_mm=0,
            exposure_us=(900.0,) * 6, gain_db=0, azimuths_deg=(0.0, 30.0, 60.0, 90.0, 120.0, 150.0),
            camera_model="C", camera_serial="1", pattern="GRBG", bit_depth=12, pitch_um=11.4, overlap_px=256,
            taken_utc="2026-01-02T03:04:05Z",
        )  # fmt: skip
        captures.write(meta, np.random.default_rng(zone).integers(0, 4096, (6, 1024, 1024), dtype=np.uint16))
    return captures


@contextmanager
def _at_request(number: int, act: Callable[[], None]) -> Iterator[None]:
    """Do something just before the so-and-so-many-th request leaves, while others are on their way."""
    count, events = itertools.count(), transfers().meta.events
    before = lambda **_: act() if next(count) == number else None  # noqa: E731
    events.register_first("before-send.s3", before)
    try:
        yield
    finally:
        events.unregister("before-send.s3", before)


def _check_goes_on(session: Captures, to: str) -> None:
    """Some zones are there and whole; the next ingest sends the others alone."""
    kept = open_captures(to)
    whole = kept.zones()
    assert 0 < len(whole) < _ZONES
    assert [kept.verify(ref) for ref in whole] == [[]] * len(whole)
    assert ingest(session.location.url, to).zones_sent == _ZONES - len(whole)
    assert _all_is_well(kept, session)


def _all_is_well(kept: Captures, session: Captures) -> bool:
    return [kept.verify(ref) for ref in kept.zones()] == [[]] * _ZONES and kept.content_hash() == session.content_hash()


def test_server_refuses_a_wrong_secret_in_one_line(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = open_location(bucket)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-wrong-secret")
    for call in (lambda: place.read("a"), lambda: place.write("a", b"1"), lambda: list(place.entries())):
        with pytest.raises(StorageError, match=r"SignatureDoesNotMatch.*check AWS_SECRET_ACCESS_KEY") as refused:
            call()
        assert "a-wrong-secret" not in str(refused.value)


def test_server_refuses_an_unknown_key(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "NOBODY")
    with pytest.raises(StorageError, match=r"InvalidAccessKeyId.*check AWS_ACCESS_KEY_ID"):
        open_location(bucket).write("a", b"1")


def test_server_has_no_such_bucket(bucket: str, session: Captures) -> None:
    with pytest.raises(StorageError, match="bucket no-such-bucket must exist at http"):
        ingest(session.location.url, "s3://no-such-bucket/kept")


def test_server_keeps_every_pixel_and_gives_a_window_of_them(bucket: str, session: Captures) -> None:
    done = ingest(session.location.url, f"{bucket}/kept")
    kept = open_captures(f"{bucket}/kept")
    assert done.zones_sent == _ZONES
    assert _all_is_well(kept, session)
    ref, window = ZoneRef("G1", "clean", 4), Window(300, 500, 400, 100)
    np.testing.assert_array_equal(kept.read(ref, window), session.read(ref, window))


def test_server_gives_zarr_a_window(bucket: str, session: Captures) -> None:
    import zarr

    ingest(session.location.url, f"{bucket}/kept")
    array = zarr.open_array(open_location(f"{bucket}/kept").zarr_store(), path="G1.zarr/clean-02", mode="r")
    window = session.read(ZoneRef("G1", "clean", 2), Window(300, 500, 400, 100))
    np.testing.assert_array_equal(array[:, 500:600, 300:700], window)


def test_server_gets_nothing_the_second_time(bucket: str, session: Captures) -> None:
    ingest(session.location.url, f"{bucket}/kept")
    sent: list[str] = []
    client = transfers()
    client.meta.events.register_first("before-send.s3", record := lambda request, **_: sent.append(request.method))
    again = ingest(session.location.url, f"{bucket}/kept")
    client.meta.events.unregister("before-send.s3", record)
    assert (again.files, again.size_bytes) == (0, 0)
    assert set(sent) == {"GET", "HEAD"}


def test_server_takes_a_large_file_in_parts(bucket: str, tmp_path: Path) -> None:
    content = np.random.default_rng(0).bytes(40_000_000)
    (tmp_path / "in").write_bytes(content)
    open_location(bucket).upload(tmp_path / "in", "large")
    open_location(bucket).download("large", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


def test_server_refuses_bytes_that_changed_on_the_way(bucket: str, tmp_path: Path) -> None:
    """Every request carries the SHA-256 of its body in its signature."""
    client = transfers()

    def garble(request: Any, **_: Any) -> None:
        if request.method == "PUT":
            request.body = b"as changed."

    client.meta.events.register_first("before-send.s3", garble)
    try:
        with pytest.raises(StorageError, match="must arrive as it was sent"):
            open_location(bucket).write("a", b"as captured")
    finally:
        client.meta.events.unregister("before-send.s3", garble)
    assert not open_location(bucket).exists("a")


def test_verify_finds_an_object_that_was_tampered_with(bucket: str, session: Captures) -> None:
    ingest(session.location.url, f"{bucket}/kept")
    kept, name = open_captures(f"{bucket}/kept"), "G1.zarr/clean-03/c/0/1/1"
    content = bytearray(kept.location.read(name))
    content[-100] ^= 1
    kept.location.write(name, bytes(content))
    assert kept.verify(ZoneRef("G1", "clean", 3)) == [f"{name} has changed since it was written"]
    with pytest.raises(DataError, match="clean-03"):
        kept.read(ZoneRef("G1", "clean", 3))


#: Sends a session and dies at a request that lies in the middle of a zone.
_DIES = """
import itertools, os, signal, sys
from glassline.data.ingest import ingest
from glassline.data.location.s3_client import transfers
count = itertools.count()
def die(**_):
    if next(count) == 50:
        os.kill(os.getpid(), signal.SIGKILL)
transfers().meta.events.register_first("before-send.s3", die)
ingest(sys.argv[1], sys.argv[2])
"""


def test_killed_client_leaves_whole_zones_and_goes_on(bucket: str, session: Captures) -> None:
    done = subprocess.run([sys.executable, "-c", _DIES, session.location.url, f"{bucket}/kept"], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    _check_goes_on(session, f"{bucket}/kept")


def test_frozen_server_that_thaws_is_waited_for(bucket: str, session: Captures, gateway: Any) -> None:
    def freeze() -> None:
        gateway.freeze_gateway()
        Timer(2, gateway.thaw_gateway).start()

    with _at_request(50, freeze):
        assert ingest(session.location.url, f"{bucket}/kept").zones_sent == _ZONES
    assert _all_is_well(open_captures(f"{bucket}/kept"), session)


def test_frozen_server_is_told_in_one_line(
    bucket: str, session: Captures, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassline.data.location.s3_client.SILENCE_S", 0.5)
    monkeypatch.setattr("glassline.data.location.s3_client.TRIES", 2)
    monkeypatch.setattr("glassline.data.location.s3_patience.KNOWN_S", 2)
    monkeypatch.setenv("AWS_REGION", "default")  # a client of its own, with these times
    gateway.freeze_gateway()
    with pytest.raises(StorageError, match=r"must answer.*check AWS_ENDPOINT_URL"):
        ingest(session.location.url, f"{bucket}/kept")


# The last three: a gateway that was killed makes the next one slow to create buckets.
def test_dead_server_that_comes_back_after_20_s_is_waited_for(
    bucket: str, session: Captures, gateway: Any, request: pytest.FixtureRequest
) -> None:
    back = Timer(20, gateway.start_gateway)
    request.addfinalizer(back.join)

    def die() -> None:
        gateway.kill_gateway()
        back.start()

    with _at_request(50, die):
        assert ingest(session.location.url, f"{bucket}/kept").zones_sent == _ZONES
    assert _all_is_well(open_captures(f"{bucket}/kept"), session)


def test_pixels_are_read_once_a_dead_server_is_back_after_20_s(
    bucket: str, session: Captures, gateway: Any, request: pytest.FixtureRequest
) -> None:
    ingest(session.location.url, f"{bucket}/kept")
    kept, ref, window = open_captures(f"{bucket}/kept"), ZoneRef("G1", "clean", 4), Window(300, 500, 400, 100)
    back = Timer(20, gateway.start_gateway)
    request.addfinalizer(back.join)
    gateway.kill_gateway()
    back.start()
    np.testing.assert_array_equal(kept.read(ref, window), session.read(ref, window))


def test_dying_server_stops_the_ingest_and_nothing_is_lost(
    bucket: str, session: Captures, gateway: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassline.data.location.s3_patience.KNOWN_S", 2)
    with _at_request(50, gateway.kill_gateway), pytest.raises(StorageError, match=f"{gateway.endpoint} must answer"):
        ingest(session.location.url, f"{bucket}/kept")
    gateway.start_gateway()
    _check_goes_on(session, f"{bucket}/kept")
