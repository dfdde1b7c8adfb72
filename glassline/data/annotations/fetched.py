"""Annotation files wherever they lie: a folder of this machine, or an S3 prefix."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassline.data.location import open_location
from glassline.data.storage import folder_hash, sha256_file
from glassline.errors import DataError, StorageError


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """Yield a local path of an annotation file, or of a folder of them; what lies in S3 is copied first.

    Args:
        url: A path, or s3://bucket/file.json, or s3://bucket/folder of VOC annotations.

    Raises:
        StorageError: Nothing is there, or the place does not answer.
    """
    if "://" not in url:
        path = Path(url)
        if not path.exists():
            raise StorageError(f"annotations must be an existing file or folder, got {path}; check the path")
        yield path
        return
    parent, _, name = url.rstrip("/").rpartition("/")
    place = open_location(parent)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / name
        if place.exists(name):
            place.download(name, local)
        else:
            names = [entry.name for entry in place.below(name).entries() if entry.name.endswith(".xml")]
            if not names:
                raise StorageError(
                    f"annotations must be an existing file or folder, got nothing at {url}; check the URL"
                )
            for inner in names:
                place.below(name).download(inner, local / inner)
        try:
            yield local
        except DataError as error:
            raise DataError(str(error).replace(str(local), url)) from error


def annotations_hash(url: str) -> str:
    """Return the SHA-256 of an annotation file, or of a folder of them.

    Raises:
        StorageError: Nothing is there, or the place does not answer.
    """
    with fetched(url) as file:
        return folder_hash(file) if file.is_dir() else sha256_file(file)
