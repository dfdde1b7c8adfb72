"""A pseudo-terminal with a simulated stage behind it."""

import contextlib
import os
import pty
import select
import threading
import tty

from hardware_ingest.stage.sim import SimulatedGrbl


class StageLine:
    """Passes bytes between a terminal and the stage, in a thread of its own."""

    def __init__(self, machine: SimulatedGrbl) -> None:
        """Take the stage; nothing is open yet."""
        self.port = ""
        self._machine = machine
        self._ends: tuple[int, int] = (-1, -1)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="stage line", daemon=True)

    def __enter__(self) -> "StageLine":
        # Our own end of the terminal stays open too: without it, reading fails while nobody is connected.
        self._ends = pty.openpty()
        tty.setraw(self._ends[1])
        os.set_blocking(self._ends[0], False)
        self.port = os.ttyname(self._ends[1])
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()
        for end in self._ends:
            os.close(end)

    def _serve(self) -> None:
        master = self._ends[0]
        while not self._done.is_set():
            if not select.select([master], [], [], 0.1)[0]:
                continue
            said = self._machine.take(os.read(master, 4096))
            # A line that nobody reads fills up; a real one drops it.
            with contextlib.suppress(BlockingIOError):
                os.write(master, said)
