import numpy as np
import pytest

from glassline.errors import DeviceError
from hardware_ingest.rig.settings import LightState, RigSettings
from hardware_ingest.session.lights import background, watch_lights

SETTINGS = RigSettings(light_states=tuple(LightState(azimuth_deg=30 * n, exposure_us=10_000) for n in range(6)))


def look(groups, exposure_us, level=1.0, dead=()):
    """Frames of a glass that scatters 10 grey levels per group at 20000 us, over stray light of 2 and black of 50."""
    rise = 10 * len(set(groups) - set(dead)) * level
    return [np.full((40, 40), round(50 + (2 + rise) * exposure_us / 20_000), np.uint16)]


def zone(level=1.0, dead=()):
    return np.concatenate([look((n, n + 6), 10_000, level, dead) for n in range(6)])


@pytest.mark.parametrize("level", [0.5, 1.0, 3.0])
def test_a_zone_that_scatters_more_or_less_passes(level):
    watch_lights("ring", look, SETTINGS).check(0, zone(level))


def test_a_group_that_goes_dark_is_told_with_its_opposite():
    with pytest.raises(DeviceError, match=r"LED groups 3 and 9 must be >= 75% as bright as the others, got 50%"):
        watch_lights("ring", look, SETTINGS).check(0, zone(dead={9}))


def test_a_ring_that_goes_dark_is_told():
    with pytest.raises(DeviceError, match=r"got 0% over all light states; check the ring's power"):
        watch_lights("ring", look, SETTINGS).check(0, zone(level=0))


def test_background_is_what_dust_leaves():
    frame_HW = np.full((50, 50), 40, np.uint16)
    frame_HW[:20] = 4095
    assert background(frame_HW) == 40
