"""Containers of one machine, by the command line of Docker or Podman; no secret is a word of a command."""

import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from glassline.errors import EngineError, SettingsError

#: Seconds in which an engine answers a question, and in which it does as told: a container has 60 s to stop.
_ANSWER_S, _ACT_S = 20, 300

_LABEL = "glassline.stack"
_STATE = '{{.State.Status}} {{.RestartCount}} {{index .Config.Labels "glassline.stack"}}'


@dataclass(frozen=True)
class Service:
    """A container: its image, what it is told, where it listens, and whether it keeps anything.

    Attributes:
        name: Container, and volume if it keeps something.
        image: Image with its tag.
        variables: Environment.
        listens: Setting to address and port.
        keeps: Whether it has a volume.
    """

    name: str
    image: str
    variables: Mapping[str, str]
    listens: Mapping[str, tuple[str, int]]
    keeps: bool = True


class Engine:
    """Docker or Podman."""

    def __init__(self, program: str) -> None:
        """Check that the engine answers.

        Raises:
            EngineError: The program is missing or its engine does not answer.
        """
        self._program = program
        done = self._ask("ps") if _on_path(program) else None
        if done is None or done.returncode:
            got = done.stderr.strip().splitlines()[-1][:200] if done and done.stderr.strip() else "no such program"
            raise EngineError(
                f"a container engine must answer `{program} ps`, got: {got}; start it or name another with ENGINE"
            )

    def check_startable(self, service: Service) -> None:
        """Check what a container needs, before any of its neighbours starts.

        Raises:
            EngineError: The image is missing.
            SettingsError: A port is taken.
        """
        self._digest(service)
        if self._state(service)[0] not in ("running", "restarting"):
            _check_free(service)

    def ensure_running(self, service: Service) -> bool:
        """Start a container unless it runs as it should; return whether anything was done.

        Raises:
            EngineError: The image is missing, or the engine refuses.
            SettingsError: A port is taken.
        """
        digest = self._digest(service)
        status, _, label = self._state(service)
        if label == digest and status in ("running", "restarting"):
            return False
        if label != digest:
            self.ensure_removed(service)
        _check_free(service)
        if label == digest:
            self._tell("start", service.name)
        else:
            self._run(service, digest)
        return True

    def is_healthy(self, service: Service) -> bool:
        """Tell whether a container says that it serves.

        Raises:
            EngineError: It ended, or ends again and again.
        """
        status, restarts, _ = self._state(service)
        if status not in ("created", "running", "restarting") or restarts >= 3:
            told = self._ask("logs", "--tail", "1", service.name)
            raise EngineError(
                f"container {service.name} must stay up, got {status or 'no container'} after {restarts} restarts and "
                f"{(told.stdout + told.stderr).strip()[-300:]!r}; see {self._program} logs {service.name}"
            )
        return self._call("exec", service.name, "healthy").returncode == 0

    def ensure_removed(self, service: Service) -> None:
        """Stop a container in its own time and remove it; its volume stays."""
        if self._state(service)[0]:
            self._tell("stop", service.name)
            self._tell("rm", service.name)

    def ensure_volume_removed(self, service: Service) -> None:
        """Remove what a container keeps."""
        if service.keeps and self._ask("volume", "inspect", service.name).returncode == 0:
            self._tell("volume", "rm", service.name)

    def _digest(self, service: Service) -> str:
        """Return what tells a container that is as stated from one of another image or of other settings."""
        identity = self._ask("image", "inspect", "--format", "{{.Id}}", service.image)
        if identity.returncode:
            raise EngineError(f"image {service.image} must exist, got none; run `make images`")
        stated = json.dumps([identity.stdout.strip(), dict(service.variables)], sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()

    def _run(self, service: Service, digest: str) -> None:
        volume = [f"--volume={service.name}:/var/lib/glassline"] if service.keeps else []
        # `--env NAME` takes the value from the environment of this call: `ps` shows names alone.
        names = [word for name in service.variables for word in ("--env", name)]
        self._tell(
            "run", "--detach", "--name", service.name, "--network=host", "--restart=unless-stopped",
            "--stop-timeout=60", "--log-driver=json-file", "--log-opt=max-size=10m", f"--label={_LABEL}={digest}",
            *volume, *names, service.image, variables=service.variables,
        )  # fmt: skip

    def _state(self, service: Service) -> tuple[str, int, str]:
        """Return status, restarts and label of a container, nothing where there is none."""
        done = self._ask("container", "inspect", "--format", _STATE, service.name)
        if done.returncode:
            return "", 0, ""
        status, restarts, label = f"{done.stdout.strip()} ".split(" ")[:3]
        return status, int(restarts), label

    def _tell(self, *words: str, variables: Mapping[str, str] | None = None) -> None:
        done = self._call(*words, variables=variables)
        if done.returncode:
            got = " ".join(done.stderr.split())[-300:]
            raise EngineError(
                f"{self._program} {words[0]} must succeed, got: {got}; mend what the engine names and try again"
            )

    def _ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._call(*words, within_s=_ANSWER_S)

    def _call(
        self, *words: str, variables: Mapping[str, str] | None = None, within_s: float = _ACT_S
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **(variables or {})}
        command = [self._program, *words]
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=within_s, env=environment)
        except subprocess.TimeoutExpired:
            raise EngineError(
                f"`{self._program} {words[0]}` must end within {within_s} s, got no answer; see to the engine, "
                "restart it, and try again"
            ) from None


def _on_path(program: str) -> bool:
    return Path(program).is_file() or shutil.which(program) is not None


def _check_free(service: Service) -> None:
    """Refuse a port that somebody else listens on: the container would only end again and again."""
    for setting, (address, port) in service.listens.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise SettingsError(
                    f"{setting} must be free, got {address}:{port}: {error.strerror}; choose another in the settings"
                ) from error
