"""One step in a container of a Docker engine: its lines as they come, and what became of it.

A container that a signal ended, or that vanished, is started again: on a cluster a step that was evicted is. A step
that says itself what is wrong is not.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import docker
import requests

from glassline.errors import EngineError
from glassline.tracking import FAILED

#: Label of every container: the run's folder. What a killed run left is found by it.
RUN_LABEL = "glassline.run"

#: Pauses before a killed container is started again.
PAUSES_S = (5, 20)

#: 128 + SIGINT, SIGKILL, SIGTERM.
_KILLED = (130, 137, 143)


def run_step(image: str, command: Sequence[str], options: Mapping[str, Any], again: bool) -> bool:
    """Run a step to its end, print what it prints, and return whether it succeeded.

    Args:
        image: Image of the step.
        command: Its command line.
        options: Further arguments of the engine, as of `docker.containers.run`.
        again: Whether a killed container may be started again.

    Raises:
        EngineError: The engine refuses, or is gone.
    """
    with _engine() as client:
        for pause_s in (*(PAUSES_S if again else ()), None):
            code = _run_once(client, image, command, options)
            if code == 0:
                return True
            if (code is not None and code not in _KILLED) or pause_s is None:
                return False
            how = "vanished" if code is None else f"was killed (exit code {code})"
            print(f"the container of this step {how}; it is started again in {pause_s} s")
            time.sleep(pause_s)
        return False


def remove_left(run: str) -> None:
    """Remove the containers that a killed run left: they would write beside the next one.

    Args:
        run: The run's folder.

    Raises:
        EngineError: The engine refuses, or is gone.
    """
    with _engine() as client:
        for container in client.containers.list(all=True, filters={"label": f"{RUN_LABEL}={run}"}):
            _remove(container)


@contextmanager
def _engine() -> Iterator[Any]:
    """Yield a client; what it raises becomes one error."""
    try:
        client = docker.from_env()
        try:
            yield client
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException) as error:
        got = str(error).partition("\n")[0][:300] or type(error).__name__
        raise EngineError(
            f"the container engine must do as it is told, got {got}; see its log, then give the command again"
        ) from error


def _run_once(client: Any, image: str, command: Sequence[str], options: Mapping[str, Any]) -> int | None:
    """Return the exit code of a container, None where it vanished; 1 where its step told what is wrong."""
    container = client.containers.create(image, list(command), **options)
    told = False
    try:
        container.start()
        for line in _lines(container.logs(stream=True, follow=True)):
            told = told or FAILED in line
            print(line)
        code = int(container.wait()["StatusCode"])
    except docker.errors.NotFound:
        return None
    finally:
        _remove(container)
    return 1 if code and told else code


def _remove(container: Any) -> None:
    try:
        container.remove(force=True)
    except docker.errors.APIError as error:
        if error.status_code not in (404, 409):  # gone, or being removed
            raise


def _lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """Yield whole lines of a stream that comes in pieces: other steps print at the same time."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
