"""Ctrl-C and the signals that end a process stop a session once, and never disturb its safe stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Turns the first stop signal into KeyboardInterrupt, and swallows it once `ignore` was called."""

    def __init__(self) -> None:
        """Heed signals."""
        self._heeded = True

    def ignore(self) -> None:
        """Swallow stop signals from now on: the devices are being made safe."""
        self._heeded = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._heeded:
            self._heeded = False
            raise KeyboardInterrupt(signal.Signals(number).name)


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Heed stop signals inside; outside the main thread, where Python has none, do nothing."""
    signals = StopSignals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    before = {number: signal.signal(number, signals._take) for number in _STOP}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
