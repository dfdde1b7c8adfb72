"""An S3 server that goes away and comes back, or does not."""

from collections.abc import Callable, Iterator
from threading import Timer

import numpy as np
import pytest

from glassline.data.location import Location, open_location
from glassline.data.location import s3_patience as patience
from glassline.errors import StorageError


class _Server:
    """An S3 server of its own; what it holds outlives a restart."""

    def __init__(self) -> None:
        self._port, self._timer = 0, Timer(0, self.start)
        self.start()

    def start(self) -> None:
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer

        self._running = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._running.start()
        host, self._port = self._running.get_host_and_port()
        self.endpoint = f"http://{host}:{self._port}"

    def go_away(self) -> None:
        self._running.stop()

    def go_away_for(self, seconds: float) -> None:
        self.go_away()
        self._timer = Timer(seconds, self.start)
        self._timer.start()

    def end(self) -> None:
        self._timer.cancel()
        self._timer.join() if self._timer.ident else None
        self.go_away()


@pytest.fixture
def server(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A server that nobody has reached yet; boto3 and obstore ask once, so that all waiting is ours."""
    one = _Server()
    monkeypatch.setenv("AWS_ENDPOINT_URL", one.endpoint)
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.setattr("glassline.data.location.s3_client.TRIES", 1)
    monkeypatch.setattr(patience, "KNOWN_S", 60)
    yield one
    one.end()


@pytest.fixture
def place(s3: str, server: _Server) -> Location:
    place = open_location(f"{s3}/kept")
    _zarr_write(place)
    place.write("a", b"1")
    return place


def _zarr_write(place: Location) -> None:
    import zarr

    array = zarr.create_array(place.zarr_store(read_only=False), name="z", shape=(4,), chunks=(2,), dtype="u1")
    array[:] = np.arange(4)


def _zarr_read(place: Location) -> list[int]:
    import zarr

    return np.asarray(zarr.open_array(place.zarr_store(), path="z", mode="r")[:]).tolist()


_READS = pytest.mark.parametrize(
    ("read", "expected"), [(lambda place: place.read("a"), b"1"), (_zarr_read, [0, 1, 2, 3])], ids=["boto3", "zarr"]
)


@_READS
def test_s3_waits_for_a_server_that_has_answered(
    place: Location, server: _Server, read: Callable[[Location], object], expected: object
) -> None:
    assert read(place) == expected
    server.go_away_for(2.5)
    assert read(place) == expected


@_READS
def test_s3_waits_for_a_server_that_a_fresh_step_of_a_pipeline_has_not_reached(
    place: Location, server: _Server, read: Callable[[Location], object], expected: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(patience, "_answered", {})
    monkeypatch.setenv("MLFLOW_RUN_ID", "1")
    server.go_away_for(2.5)
    assert read(place) == expected


@_READS
def test_s3_tells_a_server_that_nobody_has_reached(
    place: Location, server: _Server, read: Callable[[Location], object], expected: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(patience, "_answered", {})
    server.go_away()
    with pytest.raises(StorageError, match="must answer"):
        read(place)


def test_s3_waits_once_for_a_server_that_stays_away(
    place: Location, server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses, sleep = [], patience.time.sleep
    monkeypatch.setattr(patience, "KNOWN_S", 1.2)
    monkeypatch.setattr(patience.time, "sleep", lambda pause_s: (pauses.append(pause_s), sleep(pause_s)))
    server.go_away()
    for _ in range(2):
        with pytest.raises(StorageError, match="must answer"):
            place.read("a")
    assert len(pauses) == 1


def test_s3_waits_again_for_a_server_that_is_back(place: Location, server: _Server) -> None:
    patience._answered[server.endpoint] = False
    assert not place.exists("none")
    server.go_away_for(2.5)
    assert place.read("a") == b"1"
