"""Judge units and record what was said: each once, whatever happens in between."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from glassline.deploy.bundle import Bundle
from glassline.deploy.inspection.inspector import Inspector
from glassline.deploy.inspection.journal import Journal, unit_key
from glassline.deploy.inspection.lines import Judged, Line
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import Unit
from glassline.errors import DataError, GlasslineError, StorageError

_READERS = 2
_TRIES, _BETWEEN_S = 5, 0.2


@dataclass(frozen=True)
class Told:
    """What became of a unit.

    Attributes:
        unit: Which one.
        judged: What was said; None where an earlier inspection said it.
        reason: Why it is refused, now or earlier; "" where it is not.
        lasting: Whether it would be said again: it rests on what the unit holds, not on whether it could be read.
    """

    unit: Unit
    judged: Judged | None
    reason: str
    lasting: bool = True


@dataclass
class _Look:
    """A unit as read: its hash, and what the inspector read of it, or why it could not."""

    began: float
    sha256: str = ""
    read: Any = None
    known: bool = False
    error: Exception | None = None
    changed: bool = False


@dataclass
class Inspection:
    """A bundle at work on a folder of verdicts.

    Attributes:
        inspector: What judges.
        bundle: Its bundle.
        how: How it is run.
        journal: Where verdicts go.
        stop: Set when no further unit is to be judged.
        hold: Tells of a refused unit whether to wait instead: it may still be written.
        wait_for_room: Called with what the disk said when a verdict could not be written; returns True to try again.
    """

    inspector: Inspector
    bundle: Bundle
    how: Running
    journal: Journal
    stop: threading.Event = field(default_factory=threading.Event)
    hold: Callable[[Unit], bool] = lambda unit: False
    wait_for_room: Callable[[StorageError], bool] = lambda error: False

    def judge(self, units: Iterable[Unit]) -> Iterator[Told]:
        """Yield what became of each unit, in order; those after it are read meanwhile.

        Raises:
            StorageError: A verdict could not be written, and nobody waits for room.
        """
        with ThreadPoolExecutor(_READERS, thread_name_prefix="ahead") as pool:
            coming: deque[tuple[Unit, Future[_Look]]] = deque()
            left = iter(units)
            try:
                while not self.stop.is_set():
                    while len(coming) <= _READERS and (unit := next(left, None)) is not None:
                        coming.append((unit, pool.submit(self._look, unit)))
                    if not coming:
                        return
                    unit, look = coming.popleft()
                    told = self._settle(unit, look.result())
                    if told is not None:
                        yield told
            finally:
                for _, look in coming:
                    look.cancel()

    def _look(self, unit: Unit) -> _Look:
        """Read a unit, again when it changes meanwhile."""
        look = _Look(time.perf_counter())
        for number in range(_TRIES):
            if number:
                time.sleep(_BETWEEN_S)
            look = self._once(unit, look.began)
            if not look.changed or self.stop.is_set():
                break
        return look

    def _once(self, unit: Unit, began: float) -> _Look:
        look, before = _Look(began), unit.signature()
        try:
            look.sha256 = unit.sha256()
            look.known = self._key(unit, look.sha256) in self.journal.known
            if not look.known:
                look.read = self.inspector.read(unit)
        except Exception as error:  # whatever decoders say of whatever was given
            look.error = error
        look.changed = unit.signature() != before
        return look

    def _settle(self, unit: Unit, look: _Look) -> Told | None:
        """Return what became of a unit once it was read; None where it is left for later."""
        if look.known:
            return Told(unit, None, self.journal.known[self._key(unit, look.sha256)])
        if look.changed:
            look.error = StorageError(f"{unit.name} must stay as it is while it is read, it changes; wait until it is "
                                      "written")  # fmt: skip
        judged = None
        if look.error is None:
            try:
                judged = self.inspector.judge(look.read)
            except Exception as error:  # one unit never ends the others
                look.error = error
        if judged is None:
            assert look.error is not None
            judged = Judged("refused", reason=refusal(unit, look.error))
        if judged.verdict == "refused" and self.hold(unit):
            return None
        # What may pass another time is remembered by what it said, not by what the unit holds.
        lasting = bool(look.sha256) and (look.error is None or isinstance(look.error, DataError))
        key = self._key(unit, look.sha256 if lasting else f"refused: {judged.reason}")
        if key in self.journal.known:
            return Told(unit, None, self.journal.known[key], lasting)
        return Told(unit, judged, judged.reason, lasting) if self._record(unit, look, judged, key) else None

    def _record(self, unit: Unit, look: _Look, judged: Judged, key: str) -> bool:
        """Write a verdict, and return whether it was written; waits for room where somebody does."""
        line = self._line(unit, look, judged, key)
        while True:
            try:
                self.journal.record(line, judged.pictures)
            except StorageError as error:
                if self.wait_for_room(error):
                    continue
                if self.stop.is_set():
                    return False
                raise
            return True

    def _line(self, unit: Unit, look: _Look, judged: Judged, key: str) -> Line:
        manifest = self.inspector.manifest
        return Line(
            unit=unit.name, kind=unit.kind, verdict=judged.verdict, reason=judged.reason, label=judged.label,
            probabilities=judged.probabilities, distance=judged.distance, defects=judged.defects, zones=judged.zones,
            product=judged.product, cycle=judged.cycle, sha256=look.sha256, system=manifest.system,
            model=manifest.model, bundle_sha256=self.bundle.content_hash, thresholds=self.inspector.thresholds,
            runtime=self.inspector.runtime, device=self.how.device, precision=self.inspector.precision,
            inspected_utc=datetime.now(UTC), seconds=time.perf_counter() - look.began, key=key,
        )  # fmt: skip

    def _key(self, unit: Unit, content: str) -> str:
        of = self.inspector  # what it is run with is not always what was asked for
        by = [self.bundle.content_hash, of.thresholds, of.runtime, of.precision, self.how.pitch_um]
        return unit_key(unit.identity, content, by)


def refusal(unit: Unit, error: Exception) -> str:
    """Return why a unit is refused, on one line."""
    if isinstance(error, GlasslineError):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return f"{unit.name} must be a file that can be read ({error.strerror or error}); check it"
    told = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return f"{unit.name} must be an image that can be judged, got {told}; copy it again, or report it"
