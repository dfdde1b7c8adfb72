import pytest

from glassline.errors import DeviceError
from hardware_ingest.illuminator.logic import LedRing
from hardware_ingest.illuminator.sim import LightFaults, SimulatedCoils


def ring(**faults: object) -> tuple[LedRing, SimulatedCoils]:
    coils = SimulatedCoils(LightFaults(**faults))
    return LedRing(coils, settle_ms=0), coils


def test_ring_lights_exactly_the_asked_groups():
    leds, coils = ring()
    leds.ensure_ready()
    leds.switch((1, 7))
    leds.switch((2, 8))
    assert coils.lit == (2, 8)


def test_ring_writes_all_coils_in_one_request():
    leds, coils = ring()
    leds.switch((0, 6))
    assert coils.writes == 1


def test_ring_waits_until_the_light_is_steady():
    waited = []
    leds = LedRing(SimulatedCoils(), settle_ms=25, sleep=waited.append)
    leds.switch((0, 6))
    assert waited == [0.025]


def test_ring_refuses_a_group_that_it_has_not():
    with pytest.raises(DeviceError, match=r"groups 0 to 11, got \[12\]"):
        ring()[0].switch((0, 12))


def test_ring_names_a_coil_that_reads_back_otherwise():
    with pytest.raises(DeviceError, match=r"reads back groups \[3\] otherwise"):
        ring(stuck_coils={3})[0].switch((3, 9))


def test_ring_is_dark_when_stopped():
    leds, coils = ring()
    leds.switch((0, 6))
    leds.ensure_stopped()
    assert coils.lit == ()


def test_ring_that_cannot_be_switched_off_says_so():
    leds, coils = ring()
    leds.switch((0, 6))
    coils.faults.gone = True
    with pytest.raises(DeviceError, match=r"may still be on.*by hand"):
        leds.ensure_stopped()


def test_ring_connects_again_once_the_device_is_back():
    leds, coils = ring(gone=True)
    with pytest.raises(DeviceError, match="nobody does"):
        leds.ensure_ready()
    coils.faults.gone = False
    leds.ensure_ready()
    assert coils.lit == ()


def test_dead_and_stuck_groups_differ_from_their_coils():
    leds, coils = ring(dead={0}, stuck={5})
    leds.switch((0, 6))
    assert coils.lit == (5, 6)
