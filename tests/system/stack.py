"""A stack of its own for the tests: containers, volumes and ports that no other one has.

Images are built by the Makefile; BASE and ENGINE reach it through the environment.
"""

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

ROOT = Path(__file__).resolve().parents[2]
ENGINE = os.environ.get("ENGINE", "docker")
SERVICES = ("database", "object-store", "tracking")
TAG = "test"


class Stack:
    """Settings in a folder, and the commands that act on them."""

    def __init__(self, folder: Path) -> None:
        """Make the settings; nothing starts yet."""
        self._file = folder / ".env"
        self.name = f"stack-{uuid.uuid4().hex[:8]}"
        assert self.tell("settings").returncode == 0
        tracking, store, monitor, database = _free_ports(4)
        self.set(
            STACK_NAME=self.name, IMAGE_TAG=TAG, TRACKING_PORT=tracking, OBJECT_STORE_PORT=store, MONITOR_PORT=monitor,
            DATABASE_PORT=database, OBJECT_STORE_GIB=2,
        )  # fmt: skip

    @property
    def settings(self) -> dict[str, str]:
        return _variables(self._file)

    @property
    def client(self) -> dict[str, str]:
        """What a client of the stack sources."""
        return _variables(self._file.with_name("client.env"))

    @property
    def secrets(self) -> list[str]:
        return [self.settings[name] for name in ("DATABASE_PASSWORD", "AWS_SECRET_ACCESS_KEY")]

    def set(self, **values: object) -> None:
        """Edit the settings as a user would."""
        kept = {**self.settings, **{name: str(value) for name, value in values.items()}}
        self._file.write_text("".join(f"{name}={value}\n" for name, value in kept.items()))

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `glassline stack ...`."""
        options = ["--settings", str(self._file)] + (["--engine", ENGINE] if words[0] != "settings" else [])
        command = [sys.executable, "-m", "glassline_cli", "stack", *words, *options]
        return subprocess.run(command, capture_output=True, text=True, timeout=600)

    def container(self, service: str) -> str:
        return f"{self.name}-{service}"

    def started(self) -> list[str]:
        """Return which containers run, each with when it started."""
        form = "{{.Id}} {{.State.StartedAt}}"
        return [engine("inspect", "--format", form, self.container(service)) for service in SERVICES]

    def leave_a_killed_first_start(self) -> None:
        """Put into both volumes what a first start leaves that was killed halfway."""
        for service in ("database", "object-store"):
            place = "/var/lib/glassline"
            junk = f"mkdir -p {place}/new/mon && echo half > {place}/new/PG_VERSION && echo half > {place}/new/fsid"
            volume, image = f"--volume={self.container(service)}:{place}", f"glassline/{service}:{TAG}"
            engine("run", "--rm", "--network=host", volume, image, "sh", "-c", junk)

    @contextmanager
    def away(self, service: str, seconds: float) -> Iterator[None]:
        """Stop a container now and start it again after a while, on its own."""
        engine("stop", self.container(service))
        back = Timer(seconds, engine, ("start", self.container(service)))
        back.start()
        try:
            yield
        finally:
            back.join()

    def sql(self, statement: str) -> str:
        """Ask the database as its administrator, inside its container."""
        port, name = self.settings["DATABASE_PORT"], self.container("database")
        return engine("exec", name, "psql", f"--port={port}", "--username=postgres", "-Atd", "mlflow", "-c", statement)


def engine(*words: str) -> str:
    """Run a command of the container engine and return all that it says."""
    done = subprocess.run([ENGINE, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return (done.stdout + (done.stderr if words[0] == "logs" else "")).strip()


def engine_answers() -> bool:
    """Tell whether there is a container engine."""
    try:
        return subprocess.run([ENGINE, "info"], capture_output=True, timeout=60).returncode == 0
    except FileNotFoundError:
        return False


def build_images() -> None:
    """Build the images of the stack from this checkout."""
    targets = [f"image-{service}" for service in SERVICES]
    subprocess.run(["make", *targets, f"IMAGE_TAG={TAG}", f"ENGINE={ENGINE}"], cwd=ROOT, check=True, timeout=1800)


def _variables(file: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in file.read_text().splitlines() if not line.startswith("#"))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
