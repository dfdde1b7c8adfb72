"""The folder of this machine that holds what a process fetched, and the images that it read last."""

import fcntl
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path

from glassline.data.location import Location
from glassline.data.storage import FULL
from glassline.errors import StorageError

# Streams of patches draw from the same images again and again; of more than this the oldest go.
_RECENT_BYTES = 2 << 30


@cache
def scratch() -> Path:
    """Return a folder below TMPDIR: made once, shared with forked processes, removed when its maker ends."""
    folder = Path(tempfile.mkdtemp(prefix="glassline-")).resolve()
    # Not atexit, which worker processes skip; after the workers have ended, who read from it.
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, exitpriority=-1)
    return folder


@contextmanager
def room_for(url: str) -> Iterator[None]:
    """Tell a full disk of temporary files as what it is: what `storage` would advise, another --out, is of no help.

    Raises:
        StorageError: The disk is full; names the folder, what it should hold, and TMPDIR.
    """
    try:
        yield
    except StorageError as error:
        if not isinstance(error.__cause__, OSError) or error.__cause__.errno not in FULL:
            raise
        raise StorageError(
            f"{tempfile.gettempdir()} must have room for {url}, got {error.__cause__.strerror}; free some, or set "
            "TMPDIR to a folder with more"
        ) from error


@contextmanager
def alone(target: Path) -> Iterator[None]:
    """Let one thread of one process at a time fetch a file: loader workers ask for the same shard at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target.with_name(f".{target.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class RecentFiles:
    """Files that were read lately, as many as a bound allows."""

    def __init__(self, folder: Path, most_bytes: int = _RECENT_BYTES) -> None:
        """Start empty, in a folder that nobody else writes to."""
        self._folder, self._most_bytes = folder, most_bytes
        self._kept: OrderedDict[str, tuple[Path, int]] = OrderedDict()
        self._lock, self._made = threading.Lock(), 0

    @contextmanager
    def opened(self, place: Location, name: str) -> Iterator[Path]:
        """Yield a path of a file that stays until the block ends, though the file be dropped meanwhile."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / name.rpartition("/")[2]
            if not self._linked(f"{place.url}/{name}", path):
                with room_for(f"{place.url}/{name}"):
                    place.download(name, path)
                self._remember(f"{place.url}/{name}", path)
            yield path

    def _linked(self, url: str, path: Path) -> bool:
        with self._lock:
            if url in self._kept:
                self._kept.move_to_end(url)
                os.link(self._kept[url][0], path)
                return True
        return False

    def _remember(self, url: str, path: Path) -> None:
        with self._lock:
            if url in self._kept:
                return
            self._made += 1
            kept = self._folder / f"{self._made}"
            os.link(path, kept)
            self._kept[url] = kept, kept.stat().st_size
            while sum(size_bytes for _, size_bytes in self._kept.values()) > self._most_bytes:
                self._kept.popitem(last=False)[1][0].unlink()


def recent_files() -> RecentFiles:
    """Return those of this process; forked ones have their own."""
    return _recent_files(os.getpid())


@cache
def _recent_files(process: int) -> RecentFiles:
    # In a folder of its own: `cache` makes two where two threads ask for the first at once.
    return RecentFiles(Path(tempfile.mkdtemp(prefix=f"recent-{process}-", dir=scratch())))
