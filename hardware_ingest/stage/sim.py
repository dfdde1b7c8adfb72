"""A GRBL 1.1 in memory that moves in time, with the faults of a real one, and the line to it."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassline.errors import DeviceError

_WORDS = re.compile(r"([XYF])(-?[\d.]+)")
_MOVE = re.compile(r"^(?:G53 ?)?(?:G0|G1) ?(?:[XYF]-?[\d.]+ ?)+$")


@dataclass
class StageFaults:
    """What is broken; may be changed while the stage is in use."""

    #: It raises `alarm_code` in the so-manieth move from now on; None never.
    alarm_in_moves: int | None = None
    alarm_code: int = 1
    #: Share of lines that arrive with one byte changed, to it and from it.
    noise: float = 0.0
    #: Nothing is answered.
    silent: bool = False
    #: It cannot be homed: the limit switch is not found.
    homing_fails: bool = False


class SimulatedGrbl:
    """The controller and the table: bytes in, bytes out."""

    def __init__(
        self,
        limits_mm: tuple[float, float] = (300.0, 300.0),
        faults: StageFaults | None = None,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 0,
    ) -> None:
        """Stand at the origin, locked until homed, as after power-up.

        Args:
            limits_mm: Its own soft limits: from 0 to these.
            faults: What is broken.
            clock: Tells seconds.
            seed: Seed of the noise.
        """
        self.faults = faults or StageFaults()
        self._limits_mm, self._clock = limits_mm, clock
        self._random = np.random.default_rng(seed)
        self._text = b""
        self._from_mm = self._to_mm = (0.0, 0.0)
        self._start_s = self._end_s = 0.0
        self._locked, self._held = True, False
        # The glass is looked at, by the camera, while the stage is told to move.
        self._turn = threading.RLock()

    @property
    def position_mm(self) -> tuple[float, float]:
        """Where the table is now, machine places."""
        with self._turn:
            return self._place_mm(self._clock())

    def _place_mm(self, now_s: float) -> tuple[float, float]:
        if now_s >= self._end_s:
            return self._to_mm
        done = (now_s - self._start_s) / (self._end_s - self._start_s)
        x_mm, y_mm = (a + (b - a) * done for a, b in zip(self._from_mm, self._to_mm, strict=True))
        return x_mm, y_mm

    @property
    def state(self) -> str:
        """State as GRBL names it."""
        with self._turn:
            return self._state(self._clock())

    def _state(self, now_s: float) -> str:
        if self._locked:
            return "Alarm"
        if self._held:
            return "Hold:0"
        return "Run" if now_s < self._end_s else "Idle"

    def take(self, data: bytes) -> bytes:
        """Take bytes and return what it says."""
        with self._turn:
            said = [line for value in data for line in self._byte(bytes([value]))]
        if self.faults.silent:
            return b""
        return b"".join(self._garbled(line) + b"\r\n" for line in said)

    def _byte(self, byte: bytes) -> list[bytes]:
        if byte == b"?":
            return [self._report()]
        if byte == b"!":
            self._stand_still()
            self._held = not self._locked
            return []
        if byte == b"\x18":
            return self._reset()
        if byte not in b"\r\n":
            self._text += byte
            return []
        line, self._text = self._garbled(self._text).decode("ascii", "replace").strip(), b""
        return [self._line(line)] if line else []

    def _report(self) -> bytes:
        # Place and state of one moment: idle is where it has arrived, never just before.
        now_s = self._clock()
        x_mm, y_mm = self._place_mm(now_s)
        return f"<{self._state(now_s)}|MPos:{x_mm:.3f},{y_mm:.3f},0.000|FS:0,0>".encode()

    def _garbled(self, line: bytes) -> bytes:
        if not line or self._random.random() >= self.faults.noise:
            return line
        place = int(self._random.integers(len(line)))
        # The top bit set: a byte that no line of GRBL has.
        return line[:place] + bytes([line[place] | 0x80]) + line[place + 1 :]

    def _stand_still(self) -> None:
        self._from_mm = self._to_mm = self.position_mm
        self._end_s = 0.0

    def _reset(self) -> list[bytes]:
        lost = [b"ALARM:3"] if self._clock() < self._end_s else []
        self._stand_still()
        self._locked, self._held, self._text = self._locked or bool(lost), False, b""
        return [*lost, b"", b"Grbl 1.1h ['$' for help]"]

    def _line(self, line: str) -> bytes:
        if line == "$H":
            if self.faults.homing_fails:
                self._locked = True
                return b"ALARM:9"
            self._from_mm = self._to_mm = (0.0, 0.0)
            self._end_s, self._locked = 0.0, False
            return b"ok"
        if line.startswith("$"):
            return b"error:3"
        if self._locked:
            return b"error:9"
        if line in ("G21", "G90"):
            return b"ok"
        return self._move(line) if _MOVE.match(line) else b"error:20"

    def _move(self, line: str) -> bytes:
        words = {letter: float(value) for letter, value in _WORDS.findall(line)}
        target_mm = (words.get("X", self._to_mm[0]), words.get("Y", self._to_mm[1]))
        if not all(0 <= place <= limit for place, limit in zip(target_mm, self._limits_mm, strict=True)):
            return b"error:15"
        if self.faults.alarm_in_moves is not None:
            self.faults.alarm_in_moves -= 1
            if self.faults.alarm_in_moves < 0:
                self.faults.alarm_in_moves = None
                self._stand_still()
                self._locked = True
                return f"ALARM:{self.faults.alarm_code}".encode()
        self._from_mm, self._to_mm = self.position_mm, target_mm
        length_mm = float(np.hypot(target_mm[0] - self._from_mm[0], target_mm[1] - self._from_mm[1]))
        self._start_s = self._clock()
        self._end_s = self._start_s + length_mm / (words.get("F", 12_000.0) / 60)
        return b"ok"


class SimulatedLine:
    """The line to a stage in this process; what does not come at once never comes."""

    def __init__(self, machine: SimulatedGrbl) -> None:
        """Take the stage."""
        self.name = "simulated stage"
        self._machine = machine
        self._heard = b""
        self.gone = False

    def connect(self) -> None:
        """Answer, unless unplugged."""
        if self.gone:
            raise DeviceError(f"{self.name} must be a serial port that can be opened, it is gone; check the cable")

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.connect()
        self._heard += self._machine.take(data)

    def receive(self, timeout_s: float) -> bytes:
        """Return the next line; b"" when there is none."""
        self.connect()
        while self._heard:
            line, _, self._heard = self._heard.partition(b"\n")
            if line.strip():
                return line.strip()
        return b""

    def forget(self) -> None:
        """Drop whatever has come in and was not read."""
        self._heard = b""

    def close(self) -> None:
        """Let go of the line."""
        self._heard = b""
