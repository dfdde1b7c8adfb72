"""How long MLflow's client waits for its server: a wrong address is told at once, a restart is waited for.

MLflow reads the number of retries before every request. Where the user set it, it stays: what we set ourselves
stands in a variable of our own too, so that the processes and containers that inherit both can tell.
"""

import os

# Named like MLflow's, which are what containers of steps are given.
_RETRIES, _OURS = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_RETRIES_OF_GLASSLINE"

#: Retries after 0 and 4 s, which tells a wrong address; and after 0, 4, 8, 16 and 32 s.
_IMPATIENT, _PATIENT = "2", "5"


def _set(retries: str) -> None:
    os.environ[_RETRIES] = os.environ[_OURS] = retries


if _RETRIES not in os.environ:
    _set(_IMPATIENT)

_answered: dict[str, bool] = {}


def wait_for(address: str, known: bool) -> None:
    """Set how long the next requests wait: a server that is known may restart, or the database behind it.

    Args:
        address: Of the server.
        known: Whether others have reached it; what it did last time in this process counts more.
    """
    if os.environ.get(_RETRIES) == os.environ.get(_OURS):
        _set(_PATIENT if _answered.get(address, known) else _IMPATIENT)


def remember(address: str, answered: bool) -> None:
    """Keep whether a server answered: one that was silent for a minute is not given another for each request."""
    _answered[address] = answered
