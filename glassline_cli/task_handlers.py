"""How kfp's local runners run a step here: a step whose declared output is missing has failed, whatever it says.

kfp takes a handler by the class of the runner from its own modules; `handlers` puts ours in their place.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kfp.local import docker_task_handler, status, subprocess_task_handler

from glassline.errors import EngineError, kind_of
from glassline.tracking import FAILED
from glassline_cli.step_container import run_step
from glassline_cli.step_process import run_in_process
from pipelines.cluster import ONCE

_Docker, _Subprocess = docker_task_handler.DockerTaskHandler, subprocess_task_handler.SubprocessTaskHandler


class DockerTaskHandler(_Docker):
    """A step in a container; kfp's own takes a container that vanished for one that succeeded."""

    def run(self) -> status.Status:
        """Run the container, again where it was killed, and return what became of it."""
        options = {**self.runner.container_run_args, "environment": self.env_vars}
        step = _step(self.full_command)
        try:
            done = run_step(self.image, self.full_command, options, again=step not in ONCE)
        except EngineError as error:
            print(f"{FAILED} {step}: {kind_of(error)}: {error}")
            done = False
        return _checked(status.Status.SUCCESS if done else status.Status.FAILURE, self.full_command)


class SubprocessTaskHandler(_Subprocess):
    """A step in a process of this machine."""

    def run(self) -> status.Status:
        """Run the process and return what became of it."""
        done = run_in_process(self.full_command, self.env_vars) == 0
        return _checked(status.Status.SUCCESS if done else status.Status.FAILURE, self.full_command)


@contextmanager
def handlers() -> Iterator[None]:
    """Let kfp's local runners take the handlers of this module."""
    docker_task_handler.DockerTaskHandler = DockerTaskHandler
    subprocess_task_handler.SubprocessTaskHandler = SubprocessTaskHandler
    try:
        yield
    finally:
        docker_task_handler.DockerTaskHandler = _Docker
        subprocess_task_handler.SubprocessTaskHandler = _Subprocess


def _checked(told: status.Status, command: Sequence[str]) -> status.Status:
    missing = missing_outputs(command) if told == status.Status.SUCCESS else []
    if not missing:
        return told
    step = command[list(command).index("--function_to_execute") + 1]
    print(
        f"{FAILED} {step}: {EngineError.__name__}: a step must leave all it declares, it ended well without "
        f"{', '.join(missing)}; run it again"
    )
    return status.Status.FAILURE


def _step(command: Sequence[str]) -> str:
    return command[list(command).index("--function_to_execute") + 1]


def missing_outputs(command: Sequence[str]) -> list[str]:
    """Return the names of declared outputs that a finished step did not leave.

    Args:
        command: The step's command line, as kfp's executor takes it.
    """
    given = list(command)
    outputs = json.loads(given[given.index("--executor_input") + 1]).get("outputs", {})
    told = Path(outputs.get("outputFile", ""))
    values = json.loads(told.read_text()).get("parameterValues", {}) if told.is_file() else {}
    missing = [
        name
        for name, one in outputs.get("parameters", {}).items()
        if name not in values and not Path(one["outputFile"]).is_file()
    ]
    files = {name: [one["uri"] for one in of["artifacts"]] for name, of in outputs.get("artifacts", {}).items()}
    return missing + [name for name, uris in files.items() if not all(Path(uri).exists() for uri in uris)]
