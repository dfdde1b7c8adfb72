"""A folder that one process works in at a time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassline.errors import StorageError


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold a folder for one run: a second one would continue the first as if it had been killed.

    Args:
        out: A folder that exists.

    Raises:
        StorageError: It may not be written, or another process holds it.
    """
    try:
        lock = open(out / "run.lock", "w")  # noqa: SIM115 - closed below
    except OSError as error:
        raise StorageError(f"{out} must be a folder that may be written ({error}); choose another --out") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StorageError(
                f"--out must be used by one run at a time, another one is using {out}; wait or choose another"
            ) from None
        yield
