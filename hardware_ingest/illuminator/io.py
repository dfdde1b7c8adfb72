"""Twelve coils, and nothing else: what the logic asks of a line to the ring, and that line over Modbus/TCP."""

import logging
from typing import Protocol

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from glassline.errors import DeviceError
from hardware_ingest.devices import LED_GROUPS
from hardware_ingest.illuminator.settings import IlluminatorSettings

# It logs each failed connection to stderr; ours is one line with a remedy.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class Coils(Protocol):
    """A line to the coils of the ring, whatever is behind."""

    name: str

    def connect(self) -> None:
        """Connect unless connected.

        Raises:
            DeviceError: Nobody answers.
        """
        ...

    def write(self, lit: list[bool]) -> None:
        """Set all coils in one request.

        Raises:
            DeviceError: No answer, or a refusal.
        """
        ...

    def read(self) -> list[bool]:
        """Return all coils.

        Raises:
            DeviceError: No answer, or a refusal.
        """
        ...

    def close(self) -> None:
        """Let go of the line; the next `connect` starts afresh."""
        ...


class ModbusCoils:
    """The coils over Modbus/TCP."""

    def __init__(self, settings: IlluminatorSettings) -> None:
        """Remember where; nothing is contacted yet."""
        self.name = f"illuminator {settings.host}:{settings.port}"
        self._settings = settings
        self._client: ModbusTcpClient | None = None

    def connect(self) -> None:
        """Connect unless connected."""
        if self._client is None or not self._client.connected:
            settings = self._settings
            # One attempt a request: a session counts its retries itself.
            client = ModbusTcpClient(settings.host, port=settings.port, timeout=settings.timeout_s, retries=0)
            if not client.connect():
                client.close()
                raise DeviceError(
                    f"{self.name} must answer within {settings.timeout_s:g} s, nobody does; check its power, cable and "
                    "address"
                )
            self._client = client

    def write(self, lit: list[bool]) -> None:
        """Set all coils in one request."""
        settings = self._settings
        self._ask("write", lambda client: client.write_coils(settings.first_coil, lit, device_id=settings.device_id))

    def read(self) -> list[bool]:
        """Return all coils."""
        settings = self._settings
        answer = self._ask(
            "read",
            lambda client: client.read_coils(settings.first_coil, count=LED_GROUPS, device_id=settings.device_id),
        )
        return [bool(bit) for bit in answer.bits[:LED_GROUPS]]

    def _ask(self, what: str, request):  # type: ignore[no-untyped-def]
        if self._client is None:
            raise DeviceError(f"{self.name} must be connected to {what} its coils, it is not; make it ready first")
        try:
            answer = request(self._client)
        except (ModbusException, OSError) as error:
            self.close()
            raise DeviceError(
                f"{self.name} must answer to {what} within {self._settings.timeout_s:g} s, got {_short(error)}; check "
                "its power and cable"
            ) from error
        if answer.isError():
            raise DeviceError(
                f"{self.name} must {what} coils {self._settings.first_coil} to "
                f"{self._settings.first_coil + LED_GROUPS - 1}, got Modbus exception {answer.exception_code}; "
                "check device_id and first_coil"
            )
        return answer

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _short(error: Exception) -> str:
    return str(error).removeprefix("Modbus Error: ")[:120]
