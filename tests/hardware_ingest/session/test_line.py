import numpy as np
import pytest

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.errors import DeviceError, SettingsError
from hardware_ingest.rig.build import build_rig
from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.session.record import Job
from hardware_ingest.session.session import capture_glass
from hardware_ingest.simulated_rig.bench import Bench

PITCH_MM = 0.1
CAMERA = {"trigger_source": "Line0", "significant_bits": 12, "frame_timeout_ms": 500}


class Ruler:
    """A glass whose grey level tells the line, and how many groups are lit."""

    def expose(self, x_mm, y_mm, groups, exposure_us, gain_db, size_px):
        frame_HW = np.full(size_px[::-1], 20 + 40 * len(groups), np.uint16)
        frame_HW[:, 1] = round(y_mm / PITCH_MM) + np.arange(size_px[1])
        frame_HW[:, 2] = round(x_mm / PITCH_MM)
        return frame_HW


def line_rig(**settings: object) -> tuple[RigSettings, Bench]:
    told = RigSettings.parse(
        {
            "scan": "line", "line_us": 100, "settle_ms": 0, "retry_wait_s": 0, "retries": 1,
            "grid": {
                "columns": 2, "rows": 5, "width_px": 20, "height_px": 24, "pitch_um": 1000 * PITCH_MM, "overlap_px": 4,
            },
            "light_states": [{"azimuth_deg": 0, "exposure_us": 80}], "lights_check": {"dark_max": 30},
            "cameras": [CAMERA], "stage": {"feed_mm_s": 5000, "poll_ms": 0.1}, **settings,
        }
    )  # fmt: skip
    return told, Bench(Ruler(), told.stage)


def capture(settings: RigSettings, bench: Bench, folder, told=None):
    job = Job(glass="G0001", kind="clean", product="P", cycle="1")
    return capture_glass(build_rig(settings, bench), job, folder, (told if told is not None else []).append)


def check_lines(folder) -> None:
    """Every zone has its own lines, without a gap, and its own place."""
    captures = open_captures(folder)
    for zone, ref in enumerate(captures.zones()):
        frame_HW, meta = captures.read(ref)[0], captures.meta(ref)
        column, row = zone % 2, zone // 2
        assert frame_HW[:, 1].tolist() == list(range(20 * row, 20 * row + 24))
        assert set(frame_HW[:, 2]) == {16 * column}
        assert meta.stage_y_mm == pytest.approx(20 * row * PITCH_MM)
        assert (meta.pattern, meta.exposure_us) == ("mono", (80,))


def test_line_scan_cuts_overlapping_zones_without_losing_a_line(tmp_path):
    result = capture(*line_rig(), tmp_path)
    assert result.zones == 10
    check_lines(tmp_path)


def test_line_scan_goes_on_with_the_zones_that_are_missing(tmp_path):
    settings, bench = line_rig(retries=0)
    bench.machine.faults.alarm_in_moves = 7
    with pytest.raises(DeviceError, match="ALARM:1"):
        capture(settings, bench, tmp_path)
    before = len(open_captures(tmp_path).zones())
    assert 0 < before < 10
    assert capture(settings, bench, tmp_path).zones == 10 - before
    check_lines(tmp_path)


def test_line_scan_blames_a_stage_that_stops_under_the_camera(tmp_path, monkeypatch):
    settings, bench = line_rig(retries=0, cameras=[{**CAMERA, "frame_timeout_ms": 50}])
    rig = build_rig(settings, bench)
    move_to = rig.stage.move_to

    def blocked(x_mm, y_mm, feed_mm_s=None):
        move_to(x_mm, y_mm, feed_mm_s)
        if feed_mm_s:
            bench.machine._locked = True
            bench.machine._stand_still()

    monkeypatch.setattr(rig.stage, "move_to", blocked)
    with pytest.raises(DeviceError, match="simulated stage stopped"):
        capture_glass(rig, Job(glass="G1", kind="clean", product="P", cycle="1"), tmp_path, [].append)
    assert bench.lit == ()


@pytest.mark.parametrize(
    ("faults", "told"),
    [({"dead": {0, 6}}, "LED groups 0 and 6 must lift"), ({"stuck": {3}}, "stray light or a group stuck on")],
)
def test_line_scan_checks_its_light(tmp_path, faults, told):
    settings, bench = line_rig()
    for name, groups in faults.items():
        setattr(bench.coils.faults, name, groups)
    with pytest.raises(DeviceError, match=told):
        capture(settings, bench, tmp_path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"line_us": 9}, r"line_us must be >= 10 us for this camera, got 9; slow the belt or raise line_us"),
        ({"line_us": 50}, r"exposure_us must be <= line_us = 50, got 80"),
        ({"light_states": [{"azimuth_deg": 0}, {"azimuth_deg": 30}]}, "must be one for a line scan, got 2"),
        ({"cameras": [{}]}, "mono and fired by the encoder, got mono by Software"),
        ({"cameras": [{**CAMERA, "frame_timeout_ms": 2}]}, r"frame_timeout_ms must be > 2\.4 ms"),
    ],
)
def test_line_scan_settings_must_follow_the_belt(change, told):
    with pytest.raises(SettingsError, match=told):
        line_rig(**change)


def test_line_feed_is_pitch_over_time():
    assert line_rig()[0].line_feed_mm_s == pytest.approx(1000)


def test_two_line_cameras_share_the_columns(tmp_path):
    settings, bench = line_rig(cameras=[CAMERA, {**CAMERA, "offset_mm": [16 * PITCH_MM, 0]}])
    capture(settings, bench, tmp_path)
    check_lines(tmp_path)
    assert ZoneRef("G0001", "clean", 9) in open_captures(tmp_path)
