import pytest

from glassline.errors import DeviceError
from hardware_ingest.stage.logic import GrblStage
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.stage.sim import SimulatedGrbl, SimulatedLine, StageFaults


class Clock:
    """Time that only moves when somebody waits."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def stage(settings: StageSettings | None = None, seed: int = 0, **faults: object):
    clock = Clock()
    machine = SimulatedGrbl(faults=StageFaults(**faults), clock=lambda: clock.now_s, seed=seed)
    line = SimulatedLine(machine)
    return GrblStage(line, settings or StageSettings(), clock.sleep), machine, line


def test_stage_homes_and_arrives():
    table, machine, _ = stage()
    table.ensure_ready()
    table.move_to(30, 40)
    assert table.wait_for_idle() == (30, 40)
    assert machine.position_mm == (30, 40)


def test_stage_is_idle_only_where_it_has_arrived():
    moments_s = iter(range(10**6))
    # Every look at this clock takes a thousandth of the move: between two of them the stage goes on.
    machine = SimulatedGrbl(clock=lambda: next(moments_s) / 1000)
    machine.take(b"$H\nG53 G1 X60 F3600\n")
    reports = [machine.take(b"?") for _ in range(1100)]
    assert {report.split(b",")[0] for report in reports if b"Idle" in report} == {b"<Idle|MPos:60.000"}
    assert {report.split(b"|")[0] for report in reports} == {b"<Run", b"<Idle"}


def test_stage_feed_is_millimetres_a_second():
    table, machine, _ = stage()
    table.ensure_ready()
    table.move_to(100, 0, feed_mm_s=50)
    before_s = machine._clock()
    table.wait_for_idle()
    assert machine._clock() - before_s == pytest.approx(2.0, abs=0.01)


def test_stage_places_are_counted_from_the_glass():
    table, machine, _ = stage(StageSettings(origin_mm=(10, 20)))
    table.ensure_ready()
    table.move_to(1, 2)
    assert table.wait_for_idle() == (1, 2)
    assert machine.position_mm == (11, 22)


def test_stage_refuses_a_place_outside_before_anything_is_sent():
    table, machine, _ = stage()
    table.ensure_ready()
    with pytest.raises(DeviceError, match=r"y must lie within 0 to 300 mm, got 300\.100"):
        table.move_to(0, 300.1)
    assert machine.state == "Idle"


def test_stage_tells_limits_of_its_own():
    table, _, _ = stage(StageSettings(x_limits_mm=(0, 999)))
    table.ensure_ready()
    with pytest.raises(DeviceError, match=r"error:15, the target lies outside"):
        table.move_to(500, 0)


def test_stage_that_was_not_homed_is_locked():
    with pytest.raises(DeviceError, match="error:9, locked by an alarm"):
        stage()[0].move_to(1, 1)


def test_stage_tells_an_alarm_and_what_to_do():
    table, _, _ = stage(alarm_in_moves=0)
    table.ensure_ready()
    with pytest.raises(DeviceError, match=r"ALARM:1, a limit switch was hit.*free it by hand"):
        table.move_to(5, 5)


def test_stage_tells_an_alarm_while_it_waits():
    table, machine, _ = stage()
    table.ensure_ready()
    table.move_to(100, 100)
    machine._locked = True
    with pytest.raises(DeviceError, match="it is in Alarm"):
        table.wait_for_idle()


def test_stage_leaves_an_alarm_by_homing():
    table, _, _ = stage(alarm_in_moves=0)
    table.ensure_ready()
    with pytest.raises(DeviceError, match="ALARM:1"):
        table.move_to(5, 5)
    table.ensure_ready()
    table.move_to(5, 5)
    assert table.wait_for_idle() == (5, 5)


def test_stage_that_cannot_home_says_why():
    with pytest.raises(DeviceError, match="ALARM:9, homing did not find the limit switch"):
        stage(homing_fails=True)[0].ensure_ready()


@pytest.mark.parametrize("seed", range(10))
def test_stage_asks_again_on_a_noisy_line(seed: int):
    table, _, _ = stage(noise=0.1, seed=seed)
    table.ensure_ready()
    for place_mm in range(20):
        table.move_to(place_mm, place_mm)
        assert table.wait_for_idle() == (place_mm, place_mm)


def test_stage_gives_up_a_line_that_is_noise_alone():
    with pytest.raises(DeviceError, match=r"asked 5 times; check its power, baud rate and cable"):
        stage(noise=1.0)[0].ensure_ready()


def test_stage_that_says_nothing_is_told():
    with pytest.raises(DeviceError, match="got no answer, asked 5 times"):
        stage(silent=True)[0].ensure_ready()


def test_stage_that_does_not_arrive_is_told():
    table, machine, _ = stage()
    table.ensure_ready()
    table.move_to(50, 50)
    machine._stand_still()
    with pytest.raises(DeviceError, match=r"must arrive at 50\.000, 50\.000 mm"):
        table.wait_for_idle()


def test_stage_stands_when_stopped_and_goes_on_later():
    table, machine, _ = stage()
    table.ensure_ready()
    table.move_to(100, 0)
    table.ensure_stopped()
    assert machine.state == "Hold:0"
    assert machine.position_mm[0] < 100
    table.ensure_ready()
    assert machine.state == "Idle"


def test_stage_that_cannot_be_held_says_so():
    table, _, line = stage()
    table.ensure_ready()
    line.gone = True
    with pytest.raises(DeviceError, match="it is gone"):
        table.ensure_stopped()
