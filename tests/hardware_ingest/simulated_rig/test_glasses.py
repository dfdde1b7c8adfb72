import numpy as np
import pytest

from glassline.data.captures.store import open_captures
from glassline.errors import DeviceError, SettingsError
from hardware_ingest.rig.build import build_rig
from hardware_ingest.session.record import Job
from hardware_ingest.session.session import capture_glass
from hardware_ingest.simulated_rig.bench import Bench
from hardware_ingest.simulated_rig.glasses import Glasses, simulated_line_rig, simulated_rig
from hardware_ingest.zones import ZoneGrid

SMALL = ZoneGrid(columns=2, rows=1, width_px=256, height_px=256, overlap_px=32)
JOB = Job(glass="G0003", kind="clean", product="P", cycle="1")


def bench_of(difficulty: str = "standard"):
    settings = simulated_rig(SMALL, difficulty).model_copy(update={"settle_ms": 0, "retry_wait_s": 0})
    return settings, Bench(Glasses(settings, difficulty, 0).scene("G0003", "clean"), settings.stage)


@pytest.mark.parametrize("difficulty", ["easy", "standard", "hard", "faint", "unseen"])
def test_simulated_glass_passes_the_lights_check(tmp_path, difficulty):
    settings, bench = bench_of(difficulty)
    result = capture_glass(build_rig(settings, bench), JOB, tmp_path, lambda event: None)
    assert (result.zones, result.retries) == (2, 0)


@pytest.mark.parametrize("fault", ["dead", "stuck"])
@pytest.mark.parametrize("difficulty", ["easy", "hard"])
def test_a_faulty_group_over_simulated_glass_is_named(tmp_path, difficulty, fault):
    settings, bench = bench_of(difficulty)
    setattr(bench.coils.faults, fault, {7})
    with pytest.raises(DeviceError, match=r"LED group 7 \(210 deg\)"):
        capture_glass(build_rig(settings, bench), JOB, tmp_path, lambda event: None)


def test_simulated_line_rig_takes_a_glass(tmp_path):
    settings = simulated_line_rig()
    bench = Bench(Glasses(settings, "standard", 0).scene("G0003", "clean"), settings.stage)
    capture_glass(build_rig(settings, bench), JOB, tmp_path, lambda event: None)
    captures = open_captures(tmp_path)
    assert [captures.shape(ref) for ref in captures.zones()] == [(1, 782, 750)] * 2
    assert captures.meta(captures.zones()[0]).pattern == "mono"


def test_simulated_line_rig_sees_no_pen_marks():
    with pytest.raises(SettingsError, match="clean glass only"):
        Glasses(simulated_line_rig(), "standard", 0).scene("G0001", "marked")


def test_every_glass_has_a_scene_of_its_own():
    glasses = Glasses(simulated_rig(SMALL, "standard"), "standard", 0)
    frames = [glasses.scene(glass, "clean").expose(0, 0, (0,), 8000, 0, (64, 64)) for glass in ("G1", "G2", "one")]
    assert len({frame_HW.tobytes() for frame_HW in frames}) == 3


def test_two_cameras_at_the_same_time_see_what_one_sees_zone_by_zone(tmp_path):
    settings, bench = bench_of()
    second = settings.cameras[0].model_copy(update={"offset_mm": (settings.grid.zones()[1].x_mm, 0.0)})
    both = settings.model_copy(update={"cameras": (*settings.cameras, second)})
    capture_glass(build_rig(settings, bench), JOB, tmp_path / "one", lambda event: None)
    capture_glass(build_rig(both, bench_of()[1]), JOB, tmp_path / "two", lambda event: None)
    one, two = open_captures(tmp_path / "one"), open_captures(tmp_path / "two")
    for ref in one.zones():
        # The noise differs: the second camera has taken part in the lights check.
        assert np.corrcoef(one.read(ref).ravel(), two.read(ref).ravel())[0, 1] > 0.99
