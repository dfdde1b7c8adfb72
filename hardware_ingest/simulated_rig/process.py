"""The simulated rig in a process of its own, as a real rig is."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from glassline.errors import DeviceError


class RigProcess:
    """A running simulator."""

    def __init__(self, process: "subprocess.Popen[str]", rig_file: Path) -> None:
        """Take a process that is ready."""
        self.process, self.rig_file = process, rig_file

    def tell(self, words: str) -> str:
        """Put another glass on the stage, break or mend something, or ask for the `state`; return the answer.

        Raises:
            DeviceError: The simulator does not understand.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{words}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not answer.startswith("done: "):
            raise DeviceError(f"the simulated rig must do {words!r}, it said {answer!r}; mend the command")
        return answer.removeprefix("done: ")


@contextmanager
def simulator(folder: Path, *options: object) -> Iterator[RigProcess]:
    """Run `glassline rig-simulator` until the block ends.

    Args:
        folder: Where its rig file goes.
        options: Further options of the command.

    Raises:
        DeviceError: It does not start.
    """
    rig_file = folder / "rig.yaml"
    words = ["rig-simulator", "--ready-file", rig_file, *options]
    process = subprocess.Popen(
        [sys.executable, "-m", "glassline_cli", *map(str, words)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said.startswith("ready"):
            raise DeviceError(f"the simulated rig must start, it said {said.strip()!r}; see its error above")
        yield RigProcess(process, rig_file)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
