"""Locks of a registered model, kept in the registry itself: one cycle of a product, one move of an alias at a time.

A lock is a registered model of its own, since the registry's database makes a name once: of two that create it, one
succeeds. It names its holder and when that was last alive. One whose holder died is taken over by renaming it, which
again succeeds for one alone, to a name that is made of this very lock's holder and age. What was put aside stays:
whoever found the dead one a moment too late wants that same name, and so cannot take the lock of its successor.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from glassline.errors import TrackingError
from glassline.tracking import answers, client

if TYPE_CHECKING:
    from mlflow.entities.model_registry import RegisteredModel

#: A holder that has not been alive for so long is dead; it says so every `BEAT_S`.
STALE_S, BEAT_S = 300.0, 30.0

_HOLDER, _ALIVE = "glassline.holder", "glassline.alive_s"
_WAIT_S = 0.2


@contextmanager
def product_lock(name: str, holder_run: str) -> Iterator[None]:
    """Hold the cycle of a product: a second one of the same product is refused at once.

    A run that holds it already, as one that was killed and goes on, holds it again. It is taken from a holder whose run
    has ended or was deleted in MLflow, or that has not been alive for `STALE_S` seconds.

    Args:
        name: Registered model, `glassline-PRODUCT`.
        holder_run: The pipeline's run that holds it.

    Raises:
        TrackingError: Another run holds it, or the registry does not answer.
    """
    with _held(f"lock.cycle.{name}", holder_run, wait_s=0):
        yield


@contextmanager
def promotion_lock(name: str, holder: str) -> Iterator[None]:
    """Hold the aliases of a registered model, for the seconds in which they move; waits a minute for another.

    Args:
        name: Registered model.
        holder: The run that moves them, or another name of its own.

    Raises:
        TrackingError: Another has held it for a minute, or the registry does not answer.
    """
    with _held(f"lock.champion.{name}", holder, wait_s=60):
        yield


@contextmanager
def _held(lock: str, holder: str, wait_s: float) -> Iterator[None]:
    until_s = time.monotonic() + wait_s
    while not _taken(lock, holder):
        if time.monotonic() >= until_s:
            raise TrackingError(_refusal(lock))
        time.sleep(_WAIT_S)
    over = threading.Event()
    beating = threading.Thread(target=_beat, args=(lock, holder, over), daemon=True, name=lock)
    beating.start()
    try:
        yield
    finally:
        over.set()
        beating.join(timeout=BEAT_S)
        _release(lock, holder)


def _taken(lock: str, holder: str) -> bool:
    """Try to take a lock once; a dead holder's is put aside for the next try."""
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            client().create_registered_model(
                lock, tags={_HOLDER: holder, _ALIVE: f"{time.time():.0f}"},
                description=f"A lock that run {holder} holds; it goes when that ends.",
            )  # fmt: skip
        except MlflowException as error:
            # It is there, or was until a moment ago.
            if error.error_code not in {"RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST"}:
                raise
        else:
            return True
    found = _find(lock)
    if found is None:
        return _taken(lock, holder)
    if found.tags.get(_HOLDER) == holder:
        return True
    if not _is_dead(found):
        return False
    _put_aside(found)
    return _taken(lock, holder)


def _find(lock: str) -> "RegisteredModel | None":
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            return client().get_registered_model(lock)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None


def _is_dead(found: "RegisteredModel") -> bool:
    """Tell whether a lock's holder has ended, was deleted, or has been silent for too long."""
    from mlflow.exceptions import MlflowException

    if time.time() - float(found.tags.get(_ALIVE, 0)) > STALE_S:
        return True
    with answers():
        try:
            run = client().get_run(found.tags.get(_HOLDER, ""))
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            return False  # a holder without a run is judged by its silence alone
    return run.info.lifecycle_stage == "deleted" or run.info.status != "RUNNING"


def _put_aside(found: "RegisteredModel") -> None:
    """Rename a dead holder's lock; where another did so before us the name is taken, and nothing happens."""
    aside = f"{found.name}.dead.{found.tags.get(_HOLDER, '')}.{found.creation_timestamp}"
    with suppress(TrackingError), answers():
        client().rename_registered_model(found.name, aside)


def _beat(lock: str, holder: str, over: threading.Event) -> None:
    """Say every now and then that the holder is alive."""
    while not over.wait(BEAT_S):
        with suppress(TrackingError):
            found = _find(lock)
            if found is None or found.tags.get(_HOLDER) != holder:
                return
            with answers():
                client().set_registered_model_tag(lock, _ALIVE, f"{time.time():.0f}")


def _release(lock: str, holder: str) -> None:
    """Give a lock back; one that cannot be reached now counts as dead once its run has ended."""
    with suppress(TrackingError):
        found = _find(lock)
        if found is not None and found.tags.get(_HOLDER) == holder:
            with answers():
                client().delete_registered_model(lock)


def _refusal(lock: str) -> str:
    found = _find(lock)
    holder = found.tags.get(_HOLDER, "unknown") if found else "unknown"
    kind, _, name = lock.removeprefix("lock.").partition(".")
    what = "one cycle at a time" if kind == "cycle" else "one move of its aliases at a time"
    return (
        f"{name} takes {what}, got a second one while run {holder} holds it; wait until that has ended; where it "
        f"died, its hold ends {STALE_S / 60:.0f} minutes later, or with: mlflow runs delete --run-id {holder}"
    )
