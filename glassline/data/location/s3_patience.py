"""How long an S3 server that is gone is asked again: a wrong address is told soon, a restart is waited for.

A server is known that has answered this process before, or that serves a step of a pipeline's run, as in
`glassline.tracking.patience`. Every request is safe to repeat. boto3 and obstore try again themselves, for a few
seconds or, where the server stays silent, for up to 40.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from glassline.data.location.base import NotThereError
from glassline.data.location.s3_client import server
from glassline.data.location.s3_errors import NoAnswerError, s3_answers

#: For so long after a request is sent it is sent again: to a server that nobody has reached, and to a known one.
FIRST_S, KNOWN_S = 7.0, 90.0

_LONGEST_PAUSE_S = 5.0

_Found = TypeVar("_Found")
_answered: dict[str, bool] = {}


def patiently(url: str, call: Callable[[], _Found]) -> _Found:
    """Ask the server; wait and ask again while it is gone.

    Args:
        url: What is asked for.
        call: Asks; called again after no answer.

    Raises:
        StorageError: The server refused, or did not answer in time.
    """
    pauses = _pauses()
    while True:
        try:
            with _heard(url):
                return call()
        except NoAnswerError:
            pause_s = next(pauses, None)
            if pause_s is None:
                raise
        time.sleep(pause_s)


async def patiently_awaited(url: str, call: Callable[[], Awaitable[_Found]]) -> _Found:
    """Ask the server as `patiently` does, and let others go on meanwhile."""
    pauses = _pauses()
    while True:
        try:
            with _heard(url):
                return await call()
        except NoAnswerError:
            pause_s = next(pauses, None)
            if pause_s is None:
                raise
        await asyncio.sleep(pause_s)


@contextmanager
def _heard(url: str) -> Iterator[None]:
    """Remember that the server answered, if only that nothing is there."""
    try:
        with s3_answers(url):
            yield
    except NotThereError:
        _answered[server()] = True
        raise
    _answered[server()] = True


def _pauses() -> Iterator[float]:
    """Yield how long to pause after each request without an answer, until there were enough.

    A server that was waited for in vain is not given as long for each request that follows.
    """
    address, pause_s, started_s = server(), 1.0, time.monotonic()
    while time.monotonic() - started_s + pause_s < _patience_s(address):
        yield pause_s * random.uniform(0.5, 1)  # noqa: S311
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    _answered[address] = False


def _patience_s(address: str) -> float:
    return KNOWN_S if _answered.get(address, "MLFLOW_RUN_ID" in os.environ) else FIRST_S
