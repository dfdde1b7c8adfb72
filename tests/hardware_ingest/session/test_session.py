import signal

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.errors import DeviceError, SettingsError, StorageError
from hardware_ingest.session.result import Retried, Written
from hardware_ingest.session.safe import SessionStopped
from hardware_ingest.session.session import CaptureSession

#: Frames of the lights check: dark, each group alone, dark at the exposure of the states.
CHECK = 14


def whole(rig) -> list[int]:
    """Zones that are whole and unchanged in the store."""
    captures = open_captures(rig.folder)
    return [ref.zone for ref in captures.zones() if not captures.verify(ref)]


def test_session_captures_every_zone(small_rig):
    rig = small_rig()
    result = rig.capture()
    assert whole(rig) == [0, 1, 2]
    assert (result.zones, result.frames, result.retries) == (3, 18, 0)
    assert rig.is_safe


def test_session_lights_each_state_and_looks_where_it_says(small_rig):
    rig = small_rig()
    rig.capture()
    captures = open_captures(rig.folder)
    ref = ZoneRef("G0001", "clean", 2)
    frames_SHW, meta = captures.read(ref), captures.meta(ref)
    assert frames_SHW[:, 0, 1].tolist() == [0 + 6, 1 + 7, 2 + 8, 3 + 9, 4 + 10, 5 + 11]
    assert frames_SHW[0, 0, 0] == round(meta.stage_x_mm * 100)
    assert meta.stage_x_mm == pytest.approx(2 * 24 * 0.0114, abs=1e-3)
    assert meta.azimuths_deg == (0, 30, 60, 90, 120, 150)


def test_session_tells_every_zone(small_rig):
    rig = small_rig()
    rig.capture()
    assert [told.ref.zone for told in rig.told if isinstance(told, Written)] == [0, 1, 2]


def test_session_of_a_whole_glass_touches_no_device(small_rig):
    rig = small_rig()
    rig.capture()
    rig.bench.coils.faults.gone = True
    assert rig.capture().already_whole == 3


def test_session_retries_a_zone_and_says_why(small_rig):
    rig = small_rig()
    rig.camera.faults = {CHECK + 8: "timeout"}
    result = rig.capture()
    assert whole(rig) == [0, 1, 2]
    assert result.retries == 1
    assert [told.what for told in rig.told if isinstance(told, Retried)] == ["zone 1"]


def test_session_takes_a_broken_frame_again_under_its_own_light(small_rig):
    rig = small_rig(frame_retries=1)
    rig.camera.faults = {CHECK + 6 + 2: "half"}
    result = rig.capture()
    assert (result.retaken, result.retries, result.frames) == (1, 0, 18)
    frames_SHW = open_captures(rig.folder).read(ZoneRef("G0001", "clean", 1))
    assert frames_SHW[:, 0, 1].tolist() == [6, 8, 10, 12, 14, 16]


@pytest.mark.parametrize("fault", ["timeout", "half", "unplugged"])
def test_session_stops_safely_when_the_camera_fails_for_good(small_rig, fault):
    rig = small_rig(retries=1)
    rig.camera.faults = dict.fromkeys(range(CHECK + 6 + 3, 99), fault)
    with pytest.raises(DeviceError, match=r"zone 1 failed in 2 tries: fake camera 0 must.*1 of 3 zones.*with zone 1"):
        rig.capture()
    assert rig.is_safe
    assert whole(rig) == [0]


def test_session_goes_on_where_it_stopped(small_rig):
    rig = small_rig(retries=0)
    rig.camera.faults = {CHECK + 6 + 3: "unplugged"}
    with pytest.raises(DeviceError, match="zone 1"):
        rig.capture()
    rig.camera.unplugged = False
    result = rig.capture()
    assert (result.zones, result.already_whole) == (2, 1)
    assert whole(rig) == [0, 1, 2]


def test_session_names_a_dead_group_before_the_first_zone(small_rig):
    rig = small_rig()
    rig.bench.coils.faults.dead = {4}
    with pytest.raises(DeviceError, match=r"LED group 4 \(120 deg\)"):
        rig.capture()
    assert rig.is_safe
    assert whole(rig) == []


def test_session_names_a_group_that_dies_on_the_way(small_rig, monkeypatch):
    rig = small_rig(retries=1)
    trigger = rig.camera.trigger

    def dying(exposure_us):
        rig.bench.coils.faults.dead = {9} if rig.camera.frames > CHECK + 6 else set()
        trigger(exposure_us)

    monkeypatch.setattr(rig.camera, "trigger", dying)
    with pytest.raises(DeviceError, match=r"LED group 9 \(270 deg\).*1 of 3 zones are whole"):
        rig.capture()
    assert rig.is_safe


def test_session_refuses_stray_light(small_rig):
    rig = small_rig()
    rig.bench.scene.stray = 50
    with pytest.raises(DeviceError, match="stray light"):
        rig.capture()


def test_session_goes_on_after_an_alarm_of_the_stage(small_rig):
    rig = small_rig()
    rig.bench.machine.faults.alarm_in_moves = 2
    assert rig.capture().retries == 1
    assert whole(rig) == [0, 1, 2]


def test_session_stops_safely_on_an_alarm_when_nothing_is_retried(small_rig):
    rig = small_rig(retries=0)
    rig.bench.machine.faults.alarm_in_moves = 3
    with pytest.raises(DeviceError, match=r"zone 2 failed in 1 try: simulated stage stopped with ALARM:1"):
        rig.capture()
    assert rig.is_safe
    assert whole(rig) == [0, 1]


def test_session_bears_a_noisy_line(small_rig):
    rig = small_rig(retries=5)
    rig.bench.machine.faults.noise = 0.1
    rig.capture()
    assert whole(rig) == [0, 1, 2]


def test_session_says_when_the_lights_may_still_be_on(small_rig):
    rig = small_rig(retries=0)
    rig.bench.coils.faults.gone_after_writes = 26
    with pytest.raises(DeviceError, match=r"NOT SAFE: .*lights must be off.*by hand"):
        rig.capture()
    assert rig.bench.machine.state == "Hold:0"
    assert not rig.camera.acquiring


def test_session_stops_safely_on_a_full_disk(small_rig, monkeypatch):
    rig = small_rig()
    write = type(open_captures(rig.folder)).write

    def full(captures, meta, frames_SHW):
        if meta.zone == 1:
            raise StorageError("the disk must have room, it is full; free some")
        write(captures, meta, frames_SHW)

    monkeypatch.setattr("glassline.data.captures.store.Captures.write", full)
    with pytest.raises(StorageError, match=r"it is full.*the lights are off.*go on with zone 1"):
        rig.capture()
    assert rig.is_safe
    assert whole(rig) == [0]


def test_session_stops_safely_on_ctrl_c_and_keeps_what_was_captured(small_rig, monkeypatch):
    rig = small_rig()
    take = CaptureSession._take

    def interrupted(session, todo, writer):
        if todo[0].index == 2:
            signal.raise_signal(signal.SIGINT)
        take(session, todo, writer)

    monkeypatch.setattr(CaptureSession, "_take", interrupted)
    with pytest.raises(SessionStopped, match=r"a stop was asked for \(SIGINT\).*2 of 3 zones"):
        rig.capture()
    assert rig.is_safe
    assert whole(rig) == [0, 1]


def test_session_refuses_to_go_on_with_other_settings(small_rig):
    small_rig().capture()
    with pytest.raises(SettingsError, match=r"gain_db was 0\.0, is 6\.0"):
        small_rig(gain_db=6).capture()


def test_session_refuses_another_product(small_rig):
    small_rig().capture()
    with pytest.raises(SettingsError, match="product was 'P', is 'Q'"):
        small_rig().capture(product="Q")


def test_session_goes_on_at_another_address(small_rig):
    small_rig().capture()
    assert small_rig(stage={"port": "/dev/other"}).capture().already_whole == 3


def test_session_exposes_the_next_state_only_after_its_frame_came(small_rig):
    rig = small_rig()
    rig.capture()
    assert rig.camera.log == ["exposed", "read"] * (CHECK + 18)


def test_session_refuses_frames_that_are_no_zones(small_rig):
    rig = small_rig(grid={"width_px": 40, "height_px": 40, "overlap_px": 0}, retries=0)
    with pytest.raises(DeviceError, match=r"frames as large as a zone, 40 x 40 px, got 32 x 32"):
        rig.capture()


def test_two_cameras_share_the_zones(small_rig):
    step_mm = 24 * 0.0114
    rig = small_rig(cameras=[{}, {"offset_mm": [step_mm, 0]}])
    rig.capture()
    captures = open_captures(rig.folder)
    places = [int(captures.read(ref)[0, 0, 0]) for ref in captures.zones()]
    assert places == [round(100 * step_mm * zone) for zone in range(3)]
    assert [len(camera.log) for camera in rig.cameras] == [2 * (CHECK + 12)] * 2


def test_clean_and_marked_lie_side_by_side(small_rig):
    rig = small_rig()
    rig.capture()
    rig.capture(kind="marked")
    assert len(open_captures(rig.folder).zones("G0001", "marked")) == 3
    assert np.array_equal(*(open_captures(rig.folder).read(ZoneRef("G0001", kind, 1)) for kind in ("clean", "marked")))


def test_session_of_a_glass_out_of_reach_touches_no_device(small_rig):
    rig = small_rig(stage={"x_limits_mm": [0.0, 0.5]})
    with pytest.raises(SettingsError, match=r"x must lie within 0 to 0\.5 mm, got 0\.547; mend the zone grid"):
        rig.capture()
    assert rig.bench.coils.writes == 0
    assert list(rig.folder.iterdir()) == []


def test_session_names_the_camera_that_sees_no_light(small_rig):
    rig = small_rig(cameras=[{"name": "left"}, {"name": "right"}], retries=0)
    dark = rig.cameras[1]
    dark.trigger = lambda exposure_us: setattr(dark, "_seen", np.full((32, 32), 64, np.uint16))
    with pytest.raises(DeviceError, match=r"seen by right: a group alone must lift.*lens cap"):
        rig.capture()
