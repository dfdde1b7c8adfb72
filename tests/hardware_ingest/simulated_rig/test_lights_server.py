from collections.abc import Iterator

import pytest

from glassline.errors import DeviceError
from hardware_ingest.illuminator.io import ModbusCoils
from hardware_ingest.illuminator.logic import LedRing
from hardware_ingest.illuminator.settings import IlluminatorSettings
from hardware_ingest.illuminator.sim import SimulatedCoils
from hardware_ingest.simulated_rig.lights_server import LightsServer

Served = tuple[LedRing, SimulatedCoils, LightsServer]


@pytest.fixture
def served() -> Iterator[Served]:
    coils = SimulatedCoils()
    with LightsServer(coils) as server:
        settings = IlluminatorSettings(kind="modbus", port=server.port, timeout_s=10)
        line = ModbusCoils(settings)
        yield LedRing(line, settle_ms=0), coils, server
        line.close()


def test_ring_is_lit_over_modbus(served: Served):
    ring, coils, _ = served
    ring.ensure_ready()
    for state in range(6):
        ring.switch((state, state + 6))
        assert coils.lit == (state, state + 6)


def test_ring_is_dark_when_stopped_over_modbus(served: Served):
    ring, coils, _ = served
    ring.ensure_ready()
    ring.switch((0, 6))
    ring.ensure_stopped()
    assert coils.lit == ()


def test_ring_tells_a_coil_that_reads_back_otherwise_over_modbus(served: Served):
    ring, coils, _ = served
    coils.faults.stuck_coils = {6}
    ring.ensure_ready()
    with pytest.raises(DeviceError, match=r"reads back groups \[6\]"):
        ring.switch((0, 6))


def test_ring_tells_a_server_that_is_gone_and_connects_again(served: Served):
    ring, coils, server = served
    ring.ensure_ready()
    server.go()
    with pytest.raises(DeviceError, match=r"127\.0\.0\.1:\d+ must answer"):
        ring.switch((0, 6))
    with pytest.raises(DeviceError, match="nobody does"):
        ring.ensure_ready()
    server.come()
    ring.ensure_ready()
    ring.switch((1, 7))
    assert coils.lit == (1, 7)


def test_ring_tells_a_device_that_refuses(served: Served):
    ring, coils, _ = served
    ring.ensure_ready()
    coils.faults.gone = True
    with pytest.raises(DeviceError, match="Modbus exception 4"):
        ring.switch((0, 6))


def test_ring_that_nobody_serves_is_told():
    coils = ModbusCoils(IlluminatorSettings(kind="modbus", port=1, timeout_s=0.2))
    with pytest.raises(DeviceError, match=r"127\.0\.0\.1:1 must answer within 0\.2 s, nobody does"):
        coils.connect()
