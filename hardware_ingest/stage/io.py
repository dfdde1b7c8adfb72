"""A line of text to the stage: what the logic asks of it, and that line over a serial port."""

from typing import Protocol

import serial

from glassline.errors import DeviceError
from hardware_ingest.stage.settings import StageSettings


class Line(Protocol):
    """A line to the stage, whatever is behind."""

    name: str

    def connect(self) -> None:
        """Open unless open.

        Raises:
            DeviceError: It cannot be opened.
        """
        ...

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            DeviceError: The line is broken.
        """
        ...

    def receive(self, timeout_s: float) -> bytes:
        """Return the next line without its end; b"" when none came in time.

        Raises:
            DeviceError: The line is broken.
        """
        ...

    def forget(self) -> None:
        """Drop whatever has come in and was not read."""
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class SerialLine:
    """The stage on a serial port."""

    def __init__(self, settings: StageSettings) -> None:
        """Remember where; nothing is opened yet."""
        self.name = f"stage {settings.port}"
        self._settings = settings
        self._port: serial.Serial | None = None

    def connect(self) -> None:
        """Open the port unless it is open."""
        if self._port is None:
            try:
                # A port that another program holds would share, and lose, answers.
                self._port = serial.Serial(
                    self._settings.port, self._settings.baud, exclusive=True,
                    write_timeout=self._settings.answer_timeout_s,
                )  # fmt: skip
            except (OSError, ValueError) as error:
                raise DeviceError(
                    f"{self.name} must be a serial port that can be opened, got {error}; check the cable, the port's "
                    "name and its rights"
                ) from error

    def send(self, data: bytes) -> None:
        """Send bytes."""
        port = self._open()
        try:
            port.write(data)
        except OSError as error:
            raise self._broken(error) from error

    def receive(self, timeout_s: float) -> bytes:
        """Return the next line; b"" when none came in time."""
        port = self._open()
        try:
            port.timeout = timeout_s
            # GRBL sends an empty line before its banner; it says nothing.
            while (line := bytes(port.readline())) and not line.strip():
                pass
            return line.strip()
        except OSError as error:
            raise self._broken(error) from error

    def forget(self) -> None:
        """Drop whatever has come in and was not read."""
        try:
            self._open().reset_input_buffer()
        except OSError as error:
            raise self._broken(error) from error

    def _open(self) -> serial.Serial:
        if self._port is None:
            raise DeviceError(f"{self.name} must be open, it is not; make it ready first")
        return self._port

    def _broken(self, error: OSError) -> DeviceError:
        self.close()
        return DeviceError(f"{self.name} must stay connected, its line broke ({error}); check the cable")

    def close(self) -> None:
        """Let go of the port."""
        if self._port is not None:
            self._port.close()
            self._port = None
