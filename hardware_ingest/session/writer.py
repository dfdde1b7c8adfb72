"""Zones are written while the next ones are taken: a thread, and at most two zones in its hands.

Shapes: S light states x H x W pixels.
"""

import queue
import threading
from collections.abc import Callable
from types import TracebackType

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Captures, Frames
from hardware_ingest.session.result import Written


class ZoneWriter:
    """Writes zones in the background; the first error is raised at the next `put`, or on leaving."""

    def __init__(self, captures: Captures, report: Callable[[Written], None]) -> None:
        """Take where to write.

        Args:
            captures: Store of the zones.
            report: Called in the background with every zone that is whole.
        """
        self._captures, self._report = captures, report
        # One zone waits while one is written; the next `put` waits, and so does the stage.
        self._waiting: queue.Queue[tuple[ZoneMeta, Frames] | None] = queue.Queue(maxsize=1)
        #: Why a zone could not be written; None while all could.
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="zone writer")

    def __enter__(self) -> "ZoneWriter":
        self._thread.start()
        return self

    def put(self, meta: ZoneMeta, frames_SHW: Frames) -> None:
        """Hand over a zone; waits while two are in hand.

        Raises:
            StorageError: An earlier zone could not be written.
        """
        self._check()
        self._waiting.put((meta, frames_SHW))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        self._thread.join()
        if error is None:
            self._check()

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    def _work(self) -> None:
        while (zone := self._waiting.get()) is not None:
            # After an error the queue is emptied, so that nobody waits for room in it for ever.
            if self.error is None:
                try:
                    self._captures.write(*zone)
                    self._report(Written(zone[0].ref, zone[1].nbytes, len(zone[1])))
                except BaseException as caught:
                    self.error = caught
