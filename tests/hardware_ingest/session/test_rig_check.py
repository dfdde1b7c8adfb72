import pytest

from glassline.errors import DeviceError, SettingsError
from hardware_ingest.rig.build import build_rig
from hardware_ingest.session.rig_check import check_rig
from hardware_ingest.simulated_rig.bench import Bench
from hardware_ingest.simulated_rig.glasses import Glasses, simulated_line_rig, simulated_rig
from hardware_ingest.zones import ZoneGrid


@pytest.fixture
def standing():
    """A rig, and the bench that it stands on."""
    grid = ZoneGrid(columns=2, rows=1, width_px=512, height_px=512, overlap_px=64)
    settings = simulated_rig(grid, "standard").model_copy(update={"settle_ms": 0})
    bench = Bench(Glasses(settings, "standard", 0).scene("G0004", "clean"), settings.stage)
    return build_rig(settings, bench), bench


def test_rig_check_sees_the_jitter_that_the_stage_does_not_report(standing):
    rig, bench = standing
    found = check_rig(rig, times=3)
    assert found.reported_um == 0
    assert 1 < found.seen_um < 60
    assert bench.lit == ()


def test_rig_check_names_a_dead_group_and_leaves_the_rig_safe(standing):
    rig, bench = standing
    bench.coils.faults.dead = {2}
    with pytest.raises(DeviceError, match=r"LED group 2 \(60 deg\)"):
        check_rig(rig, times=1)
    assert bench.lit == ()
    assert bench.machine.state == "Hold:0"


def test_rig_check_is_for_area_scan():
    rig = simulated_line_rig()
    bench = Bench(Glasses(rig, "standard", 0).scene("G0001", "clean"), rig.stage)
    with pytest.raises(SettingsError, match="for area scan"):
        check_rig(build_rig(rig, bench), times=1)


def test_rig_check_tells_lights_that_it_cannot_switch_off(standing):
    rig, bench = standing
    bench.coils.faults.gone_after_writes = 9
    with pytest.raises(DeviceError, match=r"must answer.*NOT SAFE.*lights must be off.*switch off the ring's power"):
        check_rig(rig, times=1)
