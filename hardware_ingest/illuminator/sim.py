"""Twelve coils in memory, with the faults of real ones."""

from dataclasses import dataclass, field

from glassline.errors import DeviceError
from hardware_ingest.devices import LED_GROUPS


@dataclass
class LightFaults:
    """What is broken; may be changed while the ring is in use."""

    #: Groups that stay dark although their coil is on.
    dead: set[int] = field(default_factory=set)
    #: Groups that shine although their coil is off.
    stuck: set[int] = field(default_factory=set)
    #: Coils that read back as off whatever is written.
    stuck_coils: set[int] = field(default_factory=set)
    #: Nobody answers.
    gone: bool = False
    #: Nobody answers from the so-manieth write on; None never.
    gone_after_writes: int | None = None


class SimulatedCoils:
    """The coils and the LED groups behind them."""

    def __init__(self, faults: LightFaults | None = None) -> None:
        """All groups off."""
        self.name = "simulated illuminator"
        self.faults = faults or LightFaults()
        self.writes = 0
        self._coils = [False] * LED_GROUPS

    @property
    def lit(self) -> tuple[int, ...]:
        """Groups that shine, which is not always what the coils say."""
        on = {group for group in range(LED_GROUPS) if self._coils[group]}
        return tuple(sorted((on - self.faults.dead) | self.faults.stuck))

    def connect(self) -> None:
        """Answer, unless gone."""
        if self.faults.gone:
            raise DeviceError(f"{self.name} must answer, nobody does; check its power, cable and address")

    def write(self, lit: list[bool]) -> None:
        """Set all coils."""
        if self.writes == self.faults.gone_after_writes:
            self.faults.gone = True
        self.connect()
        self.writes += 1
        self._coils = [on and group not in self.faults.stuck_coils for group, on in enumerate(lit)]

    def read(self) -> list[bool]:
        """Return all coils."""
        self.connect()
        return list(self._coils)

    def close(self) -> None:
        """Nothing to let go of."""
