"""What the stage must do, whatever the line to it: home, move, wait, hold; noise is asked again, alarms are told."""

import time
from collections.abc import Callable

from glassline.errors import DeviceError, SettingsError
from hardware_ingest.stage.grbl import ALARMS, ERRORS, MISHEARD, Status, code_of, is_remark, read_status
from hardware_ingest.stage.io import Line
from hardware_ingest.stage.settings import StageSettings

#: A question is asked this often before a noisy line is given up.
ASKS = 5

#: A stage that says it is idle elsewhere may not have started yet; after this many reports it stands there.
IDLE_REPORTS = 20


class GrblStage:
    """An XY stage that speaks GRBL 1.1."""

    def __init__(self, line: Line, settings: StageSettings, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take the line to the stage; nothing is sent yet.

        Args:
            line: Line to the stage.
            settings: Limits, speed and times.
            sleep: Waits seconds.
        """
        self.name = line.name
        self._line, self._settings, self._sleep = line, settings, sleep
        self._target_mm: tuple[float, float] | None = None
        self._alarm_code: int | None = None

    def ensure_ready(self) -> None:
        """Connect unless connected, clear an old alarm or hold, home."""
        self._line.connect()
        # A reset ends every state that GRBL knows; where it was is found anew by homing.
        self._line.send(b"\x18")
        self._pause()
        self._line.forget()
        self._alarm_code = self._target_mm = None
        self._status()
        self._command("$H", self._settings.home_timeout_s)
        for text in ("G21", "G90"):
            self._command(text)
        if (state := self._status().state) != "Idle":
            raise DeviceError(f"{self.name} must be idle once it has homed, it is in {state}; home it by hand")

    def move_to(self, x_mm: float, y_mm: float, feed_mm_s: float | None = None) -> None:
        """Start a move; the soft limits are checked before anything is sent."""
        settings = self._settings
        try:
            target_mm = settings.machine_mm(x_mm, y_mm)
        except SettingsError as error:
            raise DeviceError(f"{self.name}: {error}") from None
        self._target_mm = target_mm
        feed_mm_min = 60 * (settings.feed_mm_s if feed_mm_s is None else feed_mm_s)
        # G53: machine places, whatever offset an operator has left. Absolute, so sending it twice does no harm.
        self._command(f"G53 G1 X{target_mm[0]:.3f} Y{target_mm[1]:.3f} F{feed_mm_min:.1f}")

    def wait_for_idle(self) -> tuple[float, float]:
        """Wait until the move has ended and return where it ended."""
        end_s = time.monotonic() + self._settings.move_timeout_s
        idle = 0
        while True:
            status = self._status()
            if status.state in ("Alarm", "Door", "Sleep"):
                raise self._alarm(status.state)
            if status.state == "Idle":
                idle += 1
                if self._is_near(status):
                    return status.x_mm - self._settings.origin_mm[0], status.y_mm - self._settings.origin_mm[1]
                if idle >= IDLE_REPORTS:
                    raise self._not_arrived(status)
            if time.monotonic() > end_s:
                raise self._not_arrived(status)
            self._pause()

    def ensure_stopped(self) -> None:
        """Hold the motion and let go of the line.

        Raises:
            DeviceError: It could not be told, or still moves.
        """
        try:
            self._line.connect()
            self._line.send(b"!")
            self._pause()
            self._line.forget()
            end_s = time.monotonic() + self._settings.answer_timeout_s
            while self._status().moves:
                if time.monotonic() > end_s:
                    raise DeviceError(
                        f"{self.name} must stand still after a feed hold, it moves; cut its power by hand"
                    )
                self._line.send(b"!")
                self._pause()
        finally:
            self._line.close()

    def _pause(self) -> None:
        self._sleep(self._settings.poll_ms / 1000)

    def _is_near(self, status: Status) -> bool:
        if self._target_mm is None:
            return True
        off_mm = max(abs(status.x_mm - self._target_mm[0]), abs(status.y_mm - self._target_mm[1]))
        return off_mm <= self._settings.tolerance_mm

    def _command(self, text: str, timeout_s: float | None = None) -> None:
        """Send one line and wait for its `ok`; a garbled answer makes it be sent again, a few times."""
        heard = b""
        for ask in range(ASKS):
            if ask:
                self._pause()
                self._line.forget()
            self._line.send(text.encode() + b"\n")
            heard = self._hear(timeout_s or self._settings.answer_timeout_s)
            if heard == b"ok":
                return
            if (alarm := code_of(heard, b"ALARM")) is not None:
                self._alarm_code = alarm
                raise self._alarm("Alarm")
            error = code_of(heard, b"error")
            # Homing needs no unlocking: a lock can only refuse what noise made of it.
            if error is not None and error not in MISHEARD and not (text == "$H" and error == 9):
                raise DeviceError(
                    f"{self.name} refused {text!r} with error:{error}, {ERRORS.get(error, 'see its manual')}; mend the "
                    "rig's settings or the stage's own ($$)"
                )
        raise self._noise(text, heard)

    def _status(self) -> Status:
        """Ask for the status; garbled answers are asked again."""
        heard = b""
        for ask in range(ASKS):
            if ask:
                self._pause()
                self._line.forget()
            self._line.send(b"?")
            heard = self._hear(self._settings.answer_timeout_s, skip=b"ok")
            if status := read_status(heard):
                return status
            if (alarm := code_of(heard, b"ALARM")) is not None:
                # After some alarms it answers nothing more until it is reset.
                self._alarm_code = alarm
                return Status("Alarm", float("nan"), float("nan"))
        raise self._noise("?", heard)

    def _hear(self, timeout_s: float, skip: bytes = b"") -> bytes:
        """Return the next line that is no remark; b"" when none came in time."""
        end_s = time.monotonic() + timeout_s
        while (left_s := end_s - time.monotonic()) > 0:
            heard = self._line.receive(left_s)
            if not heard or not (heard == skip or is_remark(heard)):
                return heard
        return b""

    def _noise(self, asked: str, heard: bytes) -> DeviceError:
        if b"WPos:" in heard:
            return DeviceError(f"{self.name} must report machine places (MPos), got {heard[:60]!r}; set its $10=1")
        got = f"{heard[:40]!r}" if heard else "no answer"
        return DeviceError(
            f"{self.name} must answer {asked!r}, got {got}, asked {ASKS} times; check its power, baud rate and cable"
        )

    def _not_arrived(self, status: Status) -> DeviceError:
        x_mm, y_mm = self._target_mm or (float("nan"), float("nan"))
        return DeviceError(
            f"{self.name} must arrive at {x_mm:.3f}, {y_mm:.3f} mm within {self._settings.move_timeout_s:g} s, it is "
            f"in {status.state} at {status.x_mm:.3f}, {status.y_mm:.3f} mm; look for what blocks it"
        )

    def _alarm(self, state: str) -> DeviceError:
        what, remedy = ALARMS.get(self._alarm_code or 0, (f"it is in {state}", "look at the stage"))
        told = f"ALARM:{self._alarm_code}" if self._alarm_code is not None else f"state {state}"
        return DeviceError(f"{self.name} stopped with {told}, {what}; {remedy}, then start again: it homes first")
