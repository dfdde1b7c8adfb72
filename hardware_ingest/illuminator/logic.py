"""What the ring of LED groups must do, whatever the line to it."""

import time
from collections.abc import Callable, Sequence

from glassline.errors import DeviceError
from hardware_ingest.devices import LED_GROUPS
from hardware_ingest.illuminator.io import Coils


class LedRing:
    """Twelve LED groups, of which exactly the asked ones are lit."""

    def __init__(self, coils: Coils, settle_ms: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take the line to the coils; nothing is contacted yet.

        Args:
            coils: Line to the ring.
            settle_ms: From the switch to steady light.
            sleep: Waits seconds.
        """
        self.name = coils.name
        self._coils, self._settle_s, self._sleep = coils, settle_ms / 1000, sleep

    def ensure_ready(self) -> None:
        """Connect unless connected, all groups off."""
        self._coils.connect()
        self.switch(())

    def switch(self, groups: Sequence[int]) -> None:
        """Light exactly these groups; returns once they have settled."""
        wrong = [group for group in groups if not 0 <= group < LED_GROUPS]
        if wrong:
            raise DeviceError(f"{self.name} has the groups 0 to {LED_GROUPS - 1}, got {wrong}; mend the light states")
        wanted = [group in groups for group in range(LED_GROUPS)]
        self._coils.write(wanted)
        found = self._coils.read()
        if found != wanted:
            differ = [group for group in range(LED_GROUPS) if found[group] != wanted[group]]
            raise DeviceError(
                f"{self.name} must light the groups {sorted(groups)}, but reads back groups {differ} otherwise; check "
                "its wiring and that nothing else writes its coils"
            )
        self._sleep(self._settle_s)

    def ensure_stopped(self) -> None:
        """All groups off, verified, and let go of the line."""
        # A request that was cut off may have left half an answer on the line.
        self._coils.close()
        try:
            self.ensure_ready()
        except DeviceError as error:
            raise DeviceError(
                f"{self.name}: the lights must be off when a session ends, and may still be on ({error}); switch off "
                "the ring's power by hand"
            ) from error
        finally:
            self._coils.close()
