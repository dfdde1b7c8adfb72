from collections.abc import Iterator

import pytest

from glassline.errors import DeviceError
from hardware_ingest.simulated_rig.stage_line import StageLine
from hardware_ingest.stage.io import SerialLine
from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.stage.sim import SimulatedGrbl

Served = tuple[GrblStage, SimulatedGrbl]


@pytest.fixture
def served() -> Iterator[Served]:
    machine = SimulatedGrbl()
    with StageLine(machine) as line:
        settings = StageSettings(kind="grbl", port=line.port, feed_mm_s=5000, answer_timeout_s=10, poll_ms=1)
        serial_line = SerialLine(settings)
        yield GrblStage(serial_line, settings), machine
        serial_line.close()


def test_stage_homes_and_arrives_over_a_terminal(served: Served):
    stage, machine = served
    stage.ensure_ready()
    stage.move_to(30, 40)
    assert stage.wait_for_idle() == (30, 40)
    assert machine.position_mm == (30, 40)


def test_stage_asks_again_on_a_noisy_terminal(served: Served):
    stage, machine = served
    machine.faults.noise = 0.03
    stage.ensure_ready()
    for place_mm in range(20):
        stage.move_to(place_mm, place_mm)
        assert stage.wait_for_idle() == (place_mm, place_mm)


def test_stage_is_held_and_goes_on_over_a_terminal(served: Served):
    stage, machine = served
    stage.ensure_ready()
    stage.move_to(300, 0, feed_mm_s=10)
    stage.ensure_stopped()
    assert machine.state == "Hold:0"
    stage.ensure_ready()
    stage.move_to(1, 1)
    assert stage.wait_for_idle() == (1, 1)


def test_stage_tells_an_alarm_over_a_terminal(served: Served):
    stage, machine = served
    stage.ensure_ready()
    machine.faults.alarm_in_moves = 0
    with pytest.raises(DeviceError, match="ALARM:1"):
        stage.move_to(1, 1)


def test_a_port_that_is_not_there_is_told():
    with pytest.raises(DeviceError, match="must be a serial port that can be opened"):
        SerialLine(StageSettings(kind="grbl", port="/dev/none")).connect()
