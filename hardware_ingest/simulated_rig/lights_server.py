"""A Modbus/TCP device with the twelve coils of a simulated ring."""

import asyncio
import threading

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from glassline.errors import DeviceError
from hardware_ingest.devices import LED_GROUPS
from hardware_ingest.illuminator.sim import SimulatedCoils

_READ_COILS = 1
_DEVICE_ID = 1


class LightsServer:
    """Serves the coils on loopback, from a thread of its own; may go and come back on the same port."""

    def __init__(self, coils: SimulatedCoils) -> None:
        """Take the coils; nothing is served yet."""
        self.port = 0
        self._coils = coils
        self._server: ModbusTcpServer | None = None

    def __enter__(self) -> "LightsServer":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lights server", daemon=True)
        self._thread.start()
        self.come()
        return self

    def __exit__(self, *error: object) -> None:
        self.go()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def come(self) -> None:
        """Serve, on the port of before."""
        if self._server is None:
            self._server = self._run(self._start())

    def go(self) -> None:
        """Close every connection and serve no more."""
        if self._server is not None:
            self._run(self._server.shutdown())
            self._server = None

    def _run(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> ModbusTcpServer:
        coils = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        inputs = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        registers = [SimData(0, values=[0], datatype=DataType.REGISTERS)]
        device = SimDevice(_DEVICE_ID, simdata=(coils, inputs, registers, registers), action=self._act)
        server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        try:
            await server.serve_forever(background=True)
        except RuntimeError as error:
            raise DeviceError(
                f"the simulated ring must have port {self.port} on loopback, it is taken; start the simulator again"
            ) from error
        self.port = server.transport.sockets[0].getsockname()[1]
        return server

    async def _act(
        self, function: int, start: int, address: int, count: int, registers: list[int], values: list[bool] | None
    ) -> ExcCodes | None:  # fmt: skip
        """Pass a request on to the coils, which may be broken; `registers` are what the device answers from."""
        try:
            if values is not None:
                lit = self._coils.read()
                lit[address : address + len(values)] = values
                self._coils.write(lit[:LED_GROUPS])
            elif function == _READ_COILS:
                registers[0] = sum(on << coil for coil, on in enumerate(self._coils.read()))
        except DeviceError:
            return ExcCodes.DEVICE_FAILURE
        return None
