"""Files that exist whole or not at all: write beside, then rename."""

import errno
import hashlib
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from glassline.errors import StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EROFS, errno.EPERM}


@contextmanager
def written_whole(target: str | Path) -> Iterator[Path]:
    """Yield a path beside `target` to write a file or folder to; rename it into place on success.

    A crash, a full disk or an exception leaves `target` as it was. A folder that already stands at
    `target` is replaced only once the new one is complete, and never by a file.

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
        if target.is_dir():
            if not beside.is_dir():
                raise _no_file(target)
            shutil.rmtree(target)
        beside.rename(target)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        if error.errno in _FULL:
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


def _remove(beside: Path) -> None:
    with suppress(OSError):  # a name that the disk does not take left nothing
        if beside.is_dir():
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
    digest = hashlib.sha256()
    relatives = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    names = sorted(path.as_posix() for path in relatives if not any(part.startswith(".") for part in path.parts))
    if not names:
        raise StorageError(f"a data folder must hold files, got none under {root}; check --data")
    for name in names:
        try:
            digest.update(f"{name}\0{sha256_file(root / name)}\n".encode(errors="surrogateescape"))
        except OSError as error:
            raise StorageError(f"every file of a data folder must be readable ({error}); mend or remove it") from error
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
