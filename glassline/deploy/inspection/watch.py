"""Judge what comes into folders as it comes, and nothing that is still being written."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from glassline.deploy.inspection.run import Inspection, Told
from glassline.deploy.inspection.units import BrokenUnit, GlassUnit, ImageUnit, Unit
from glassline.errors import StorageError

#: Seconds between two looks; what is the same in both may be judged.
POLL_S = 1.0
#: Seconds for which a slow copy may pause: an image that cannot be read or does not tell its end, and a glass with its
#: zones, must stay as they are for so long. What could not be looked at is tried again as often.
PATIENCE_S = 10.0


class Watch:
    """Lists units again and again, and hands out those that are finished and new.

    Attributes:
        poll_s: Seconds between two looks.
        patience_s: See `PATIENCE_S`.
    """

    def __init__(
        self, list_units: Callable[[], Iterable[Unit]], tell: Callable[[str], None], stop: threading.Event,
        poll_s: float = POLL_S, patience_s: float = PATIENCE_S,
    ) -> None:  # fmt: skip
        """Remember what to watch.

        Args:
            list_units: Returns what is there now.
            tell: Called with what to tell the user, one line.
            stop: Ends the watch.
            poll_s: Seconds between two looks.
            patience_s: See `PATIENCE_S`.
        """
        self._list, self._tell, self._stop = list_units, tell, stop
        self.poll_s, self.patience_s = poll_s, patience_s
        #: By unit: how it looks, and since when.
        self._pending: dict[str, tuple[Any, float]] = {}
        self._done: dict[str, Any] = {}
        #: By unit whose place, or this computer, did not do as it should: when it was tried last.
        self._tried: dict[str, float] = {}
        self._full = self._away = False
        #: Places that are named and not there, at the last look; and those of which it was told.
        self._absent: set[str] = set()
        self._missed: set[str] = set()
        self._looked = False

    def run(self, inspection: Inspection) -> Iterator[Told]:
        """Yield what became of each unit until `stop` is set."""
        while not self._stop.is_set():
            for told in inspection.judge(self._ready()):
                if self._full:
                    self._full = False
                    self._tell("there is room again: going on")
                if self._settled(told):
                    yield told
            self._stop.wait(self.poll_s)

    def hold(self, unit: Unit) -> bool:
        """Tell whether a refused unit may still be written: it did not stay the same for long enough."""
        if isinstance(unit, BrokenUnit):  # a zone without manifest is still on its way, a closed folder stays closed
            return unit.kind == "zone"
        look, since = self._pending.get(unit.identity, (None, 0.0))
        return unit.signature() != look or time.monotonic() - since < self.patience_s

    def wait_for_room(self, error: StorageError) -> bool:
        """Tell once that the disk refuses, wait, and say whether to try again."""
        if not self._full:
            self._full = True
            self._tell(f"{error}; waiting")
        return not self._stop.wait(self.poll_s)

    def _settled(self, told: Told) -> bool:
        """Remember what became of a unit and return whether to tell it; what may pass is tried again, and told once."""
        name = told.unit.identity
        if told.lasting:
            self._done[name] = self._pending.pop(name, (None, 0))[0]
            self._tried.pop(name, None)
            return True
        again = name in self._tried
        self._tried[name] = time.monotonic()
        return not again or told.judged is not None

    def _ready(self) -> list[Unit]:
        """Return what looks as it did for long enough and was not judged as it looks."""
        ready, there, absent, now = [], set(), {}, time.monotonic()
        for unit in self._listed():
            name, look = unit.identity, unit.signature()
            there.add(name)
            if look is None:
                absent[name] = unit.name
            unfinished = isinstance(unit, GlassUnit) and unit.unfinished
            if look is None or unfinished or self._done.get(name) == look:
                continue
            if name not in self._pending or self._pending[name][0] != look:
                self._pending[name] = look, now
                self._tried.pop(name, None)
            elif now - max(self._pending[name][1], self._tried.get(name, 0.0)) >= self._wait_s(unit):
                ready.append(unit)
        for gone in self._pending.keys() - there:
            del self._pending[gone]
            self._tried.pop(gone, None)
        self._tell_absent(absent, bool(there))
        return ready

    def _tell_absent(self, absent: dict[str, str], any_there: bool) -> None:
        """Tell once what is named and not there in two looks, and that nothing was there at the first."""
        for name in absent.keys() & self._absent - self._missed:
            self._tell(f"{absent[name]} must be a folder or file that is there, got none; waiting for it")
        if not self._looked and not any_there and not self._away:
            self._tell("nothing is there yet: an empty folder, or a share that is not mounted; waiting")
        self._missed = absent.keys() & (self._missed | self._absent)
        self._absent, self._looked = set(absent), True

    def _wait_s(self, unit: Unit) -> float:
        """Return for how long a unit must stay as it is."""
        sure = unit.ends() if isinstance(unit, ImageUnit) else unit.kind != "glass"
        return 0.0 if sure and unit.identity not in self._tried else self.patience_s

    def _listed(self) -> list[Unit]:
        try:
            listed = list(self._list())
        except StorageError as error:
            if not self._away:
                self._away = True
                self._tell(f"{error}; waiting")
            return []
        self._away = False
        return listed
