"""A file or folder wherever it lies, as a local path for as long as it is read."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from glassline.data.location import Location, open_location
from glassline.data.location.base import NotThereError
from glassline.data.storage import files_hash, folder_hash, sha256_file
from glassline.data.store.scratch import room_for
from glassline.errors import DataError, GlasslineError

_AT_ONCE = 16


@contextmanager
def fetched(url: str | Path, what: str = "a source", suffix: str = "") -> Iterator[Path]:
    """Yield a local path of a file, or of a folder with all below it; what lies in S3 is copied first.

    An error of the block that names the copy is told with the URL.

    Args:
        url: A path, or `s3://bucket/file.json`, or `s3://bucket/folder`.
        what: What is looked for, for people.
        suffix: Of a folder in S3 only files with this ending are copied.

    Raises:
        NotThereError: Nothing is there.
        StorageError: The place does not answer, or this machine's disk is full.
    """
    if "://" not in str(url):
        if not Path(url).exists():
            raise NotThereError(f"{what} must be an existing file or folder, got {url}; check the path")
        yield Path(url)
        return
    url = str(url).rstrip("/")
    with tempfile.TemporaryDirectory(prefix="glassline-") as folder:
        local = Path(folder).resolve() / url.rpartition("/")[2]
        with room_for(url):
            if is_file(url):
                open_location(url.rpartition("/")[0]).download(local.name, local)
            elif not _copied(url, local, suffix):
                raise NotThereError(f"{what} must be an existing file or folder, got nothing at {url}; check the URL")
        with told_as(local, url):
            yield local


def place_hash(url: str | Path) -> str:
    """Return the SHA-256 of a file, or of a folder as `folder_hash` does, wherever it lies; a folder is not kept here.

    Raises:
        StorageError: Nothing is there, or a file cannot be read.
    """
    if "://" not in str(url):
        return sha256_file(url) if is_file(str(url)) else folder_hash(url)
    url = str(url).rstrip("/")
    parent, _, name = url.rpartition("/")
    if is_file(url):
        return _sum(open_location(parent), name)
    place = open_location(url)
    names = sorted(entry.name for entry in place.entries())
    if not names:
        raise NotThereError(f"a data folder must hold files, got none at {url}; check the URL")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return files_hash(zip(names, pool.map(lambda name: _sum(place, name), names), strict=True))


def check_unchanged(url: str | Path, stated: str, now: Callable[[], str], until: str) -> None:
    """Compare data with their hash when the run was submitted, unless that is "".

    Args:
        url: Where they lie.
        stated: The hash at submission.
        now: Works the hash out.
        until: What they may not change before: `import`.

    Raises:
        DataError: They changed.
    """
    if stated and (found := now()) != stated:
        raise DataError(
            f"{url} must not change between submission and {until}: its hash was {stated[:12]}, now it is "
            f"{found[:12]}; submit the run again"
        )


def _sum(place: Location, name: str) -> str:
    with tempfile.TemporaryDirectory(prefix="glassline-") as folder:
        with room_for(f"{place.url}/{name}"):
            place.download(name, Path(folder) / "file")
        return sha256_file(Path(folder) / "file")


def is_file(url: str) -> bool:
    """Return whether a path or an S3 URL names a file, and no folder or prefix."""
    if "://" not in url:
        return Path(url).is_file()
    parent, _, name = url.rpartition("/")
    return not parent.endswith("/") and open_location(parent).exists(name)


def _copied(url: str, local: Path, suffix: str) -> int:
    """Copy a prefix, and return of how many files."""
    place = open_location(url)
    names = [entry.name for entry in place.entries() if entry.name.endswith(suffix)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda name: place.download(name, local / name), names))
    return len(names)


@contextmanager
def told_as(local: Path, url: str) -> Iterator[None]:
    """Let an error of the block name a file by its URL instead of the path of its copy."""
    try:
        yield
    except GlasslineError as error:
        raise type(error)(str(error).replace(str(local), url)) from error
