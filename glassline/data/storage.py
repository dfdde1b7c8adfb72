"""Files that exist whole or not at all: write beside, then rename."""

import errno
import hashlib
import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from glassline.errors import StorageError

#: What a system says of a full disk or quota.
FULL = {errno.ENOSPC, errno.EDQUOT}
#: What it says of a folder that stands where one is renamed to.
_TAKEN = {errno.ENOTEMPTY, errno.EEXIST}
_REFUSED = {errno.EACCES, errno.EROFS, errno.EPERM}


@contextmanager
def written_whole(target: str | Path) -> Iterator[Path]:
    """Yield a path beside `target` to write a file or folder to; rename it into place on success.

    A full disk or an exception leaves `target` as it was. A folder that already stands at `target` is replaced only
    once the new one is complete, and never by a file; of two writers of one folder the last is found, whole.

    Raises:
        StorageError: The disk is full, the folder may not be written, or a folder stands where a file should be;
            names the path.
    """
    target = Path(target)
    if target.name in ("", ".."):  # `.` and `/` too
        raise _no_file(target)
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.partial")
    ready_folder(target.parent)
    try:
        yield beside
        if beside.is_dir():
            _put_folder(beside, target)
        elif target.is_dir():
            raise _no_file(target)
        else:
            beside.rename(target)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        if error.errno in FULL:
            raise StorageError(
                f"{target} needs more space than its disk has ({error.strerror}); free some or choose another --out"
            ) from error
        if error.errno in _REFUSED:
            raise StorageError(
                f"{target} must be in a folder that may be written ({error.strerror}); choose another --out"
            ) from error
        if str(error.filename).startswith((str(beside), str(target))):
            raise StorageError(
                f"{target} must be a name that its disk takes, got {error.strerror}; choose another --out"
            ) from error
        raise
    finally:
        _remove(beside)


def _put_folder(beside: Path, target: Path) -> None:
    """Rename a folder into place; one that stands there is renamed aside, and removed only afterwards."""
    aside = beside.with_suffix(".old")
    while True:
        if target.is_dir():
            with suppress(FileNotFoundError):  # another writer was faster
                target.rename(aside)
        try:
            beside.rename(target)
        except OSError as error:
            if error.errno not in _TAKEN:  # by another writer meanwhile; ours comes after it
                with suppress(OSError):
                    aside.rename(target)
                raise
        else:
            return _remove(aside)
        _remove(aside)


def _remove(beside: Path) -> None:
    with suppress(OSError):  # a name that the disk does not take left nothing
        if beside.is_dir() and not beside.is_symlink():
            shutil.rmtree(beside, ignore_errors=True)
        else:
            beside.unlink(missing_ok=True)


def _no_file(target: Path) -> StorageError:
    return StorageError(f"{target} must be a file to write, got a folder; add a name to --out")


def ready_folder(folder: Path) -> None:
    """Make a folder, with its parents, unless it is there.

    Raises:
        StorageError: It cannot be made, is a file, or an object store's URL.
    """
    if "s3:" in folder.parts:
        raise StorageError(
            f"{folder} must be a folder of this computer, got an S3 URL; choose another --out, and send it on with "
            "`glassline ingest`"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder} must be a folder that may be written ({error}); choose another --out") from error


def check_empty(out: Path) -> None:
    """Refuse a folder that holds something: it would be replaced as a whole.

    Raises:
        StorageError: It does, or is a file.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise StorageError(f"{out} must be a missing or empty folder, got one that holds files; choose another --out")


def check_apart(out: Path, data: Path) -> None:
    """Refuse to write into the data: it would change its hash, and be read as data the next time.

    Raises:
        StorageError: `out` is `data` or lies in it.
    """
    if out.resolve().is_relative_to(data.resolve()):
        raise StorageError(f"--out must lie outside the data folder {data}, got {out}; choose another --out")


def sha256_file(path: str | Path) -> str:
    """Return the hex SHA-256 of a file, read in blocks."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_hash(folder: str | Path) -> str:
    """Return one SHA-256 over names and contents of every file under a folder.

    Independent of where the folder lies and of file times. Hidden files and folders do not count.

    Raises:
        StorageError: The folder is missing, holds no file, or one that cannot be read.
    """
    root = Path(folder)
    if not root.is_dir():
        raise StorageError(f"a data folder must exist, got {root}; check --data")
    relatives = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    names = sorted(path.as_posix() for path in relatives if not any(part.startswith(".") for part in path.parts))
    if not names:
        raise StorageError(f"a data folder must hold files, got none under {root}; check --data")
    try:
        return files_hash((name, sha256_file(root / name)) for name in names)
    except OSError as error:
        raise StorageError(f"every file of a data folder must be readable ({error}); mend or remove it") from error


def files_hash(sums: Iterable[tuple[str, str]]) -> str:
    """Return one SHA-256 over the name and the SHA-256 of each file, sorted by name."""
    digest = hashlib.sha256()
    for name, sha256 in sums:
        digest.update(f"{name}\0{sha256}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def code_hash(*folders: str) -> str:
    """Return one SHA-256 over the library's source in some of its folders, such as `vision`.

    Part of the name of whatever is kept between runs, so that a changed method never reads what the old
    one wrote.
    """
    library = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((library / folder).rglob("*.py")):
            digest.update(f"{path.relative_to(library)}\0{sha256_file(path)}\n".encode())
    return digest.hexdigest()


def content_key(what: Any) -> str:
    """Return the name of what is kept between runs: 24 hexadecimal digits, equal for equal content.

    Args:
        what: All that decides it, as JSON has it; the order of a mapping's keys does not count.
    """
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:24]
