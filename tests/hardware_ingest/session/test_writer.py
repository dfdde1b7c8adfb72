import threading

import numpy as np
import pytest

from glassline.errors import StorageError
from hardware_ingest.session.writer import ZoneWriter


class Meta:
    def __init__(self, zone: int) -> None:
        self.ref = zone


class SlowStore:
    """Writes a zone once it may."""

    def __init__(self) -> None:
        self.may, self.written, self.full = threading.Semaphore(0), [], False

    def write(self, meta, frames_SHW):
        self.may.acquire()
        if self.full:
            raise StorageError("the disk must have room, it is full; free some")
        self.written.append(meta.ref)


FRAMES = np.zeros((6, 2, 2), np.uint16)


def test_writer_holds_two_zones_and_no_third():
    store = SlowStore()
    with ZoneWriter(store, lambda zone: None) as writer:
        writer.put(Meta(0), FRAMES)
        writer.put(Meta(1), FRAMES)
        third = threading.Thread(target=writer.put, args=(Meta(2), FRAMES))
        third.start()
        third.join(0.05)
        assert third.is_alive()
        store.may.release(3)
        third.join()
    assert store.written == [0, 1, 2]


def write_all(store: SlowStore, zones: int, error: type[BaseException] | None = None) -> None:
    store.may.release(zones)
    with ZoneWriter(store, lambda zone: None) as writer:
        for zone in range(zones):
            writer.put(Meta(zone), FRAMES)
        if error:
            raise error


def test_writer_writes_what_it_has_before_it_ends():
    store = SlowStore()
    with pytest.raises(KeyboardInterrupt):
        write_all(store, 2, KeyboardInterrupt)
    assert store.written == [0, 1]


@pytest.mark.parametrize("zones", [1, 5])
def test_writer_tells_an_error_at_the_latest_when_it_ends(zones: int):
    store = SlowStore()
    store.full = True
    with pytest.raises(StorageError, match="full"):
        write_all(store, zones)
