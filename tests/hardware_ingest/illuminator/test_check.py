import pytest

from glassline.errors import DeviceError
from hardware_ingest.illuminator.check import check_lights
from hardware_ingest.illuminator.settings import LightsCheckSettings

SETTINGS = LightsCheckSettings(dark_max=80)


def levels(dark: float = 64.0, rise: float = 30.0, dead: set[int] = frozenset(), stuck: set[int] = frozenset()):
    """What a ring's frames say: every group lifts the mean by `rise`."""
    always = dark + rise * len(stuck)
    return always, [always + (0.0 if group in dead | stuck else rise) for group in range(12)]


def test_check_lights_returns_the_rise_of_every_group():
    assert check_lights("ring", *levels(), SETTINGS) == [30.0] * 12


def test_check_lights_names_a_dead_group():
    with pytest.raises(DeviceError, match=r"LED group 4 \(120 deg\).*dead"):
        check_lights("ring", *levels(dead={4}), SETTINGS)


def test_check_lights_names_two_dead_groups():
    with pytest.raises(DeviceError, match=r"LED groups 0 \(0 deg\), 11 \(330 deg\).*dead"):
        check_lights("ring", *levels(dead={0, 11}), SETTINGS)


def test_check_lights_names_a_stuck_group():
    with pytest.raises(DeviceError, match=r"LED group 7 \(210 deg\).*stuck on"):
        check_lights("ring", *levels(stuck={7}), SETTINGS)


def test_check_lights_tells_stray_light():
    with pytest.raises(DeviceError, match="stray light; close the hood"):
        check_lights("ring", *levels(dark=140), SETTINGS)


def test_check_lights_tells_a_ring_without_power():
    with pytest.raises(DeviceError, match=r"none does.*power"):
        check_lights("ring", *levels(dead=set(range(12))), SETTINGS)


def test_check_lights_accepts_groups_of_unequal_brightness():
    dark, alone = levels()
    alone[3] = dark + 15
    assert check_lights("ring", dark, alone, SETTINGS)[3] == 15
