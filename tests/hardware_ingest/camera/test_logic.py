import pytest

from glassline.errors import DeviceError
from hardware_ingest.camera.settings import CameraSettings, loopback_camera
from hardware_ingest.camera.sim import CameraFaults, SimCamera


def look(camera, exposure_us=1000.0):
    camera.trigger(exposure_us)
    return camera.read_frame()


def test_frame_shows_what_was_lit_at_the_trigger_not_what_is_lit_when_it_is_read(camera, lamps):
    for group in (3, 7, 0, 11):
        lamps.lit = (group,)
        camera.trigger(1000.0)
        lamps.lit = (5,)
        assert set(camera.read_frame().flat) == {1 + group}


def test_trigger_returns_once_latency_and_exposure_are_over(camera):
    before_ns = camera._clock.now_ns()
    camera.trigger(2000.0)
    assert camera._clock.now_ns() - before_ns == (20_000 + 2000) * 1000


def test_silent_camera_is_told_and_the_next_frame_is_right(camera, lamps):
    camera.faults.silent.add(1)
    with pytest.raises(DeviceError, match="none came"):
        look(camera)
    lamps.lit = (4,)
    assert look(camera).max() == 5


def test_half_a_frame_is_refused_and_the_next_is_right(camera, lamps):
    camera.faults.half.add(1)
    with pytest.raises(DeviceError, match=r"half a frame \(missing packets\)"):
        look(camera)
    assert look(camera).shape == (6, 8)


def test_frame_missing_after_half_a_frame_is_out_of_turn(camera):
    camera.faults.half.add(1)
    with pytest.raises(DeviceError, match="half"):
        look(camera)
    camera._io._frame_id += 1
    with pytest.raises(DeviceError, match="in turn, got 65504 after 65502"):
        look(camera)


def test_frame_that_nobody_asked_for_is_refused(camera, lamps):
    camera.faults.doubled.add(1)
    look(camera)
    lamps.lit = (9,)
    with pytest.raises(DeviceError, match="one frame per trigger, got 1 more"):
        camera.trigger(1000.0)
    camera.ensure_ready()
    assert look(camera).max() == 10


def test_frame_out_of_turn_is_refused(camera):
    camera._last_id += 1
    with pytest.raises(DeviceError, match="in turn, got 65502 after 65502"):
        look(camera)
    look(camera)


def test_frame_numbers_run_round_at_16_bits(camera):
    for _ in range(50):
        look(camera)
    assert camera._last_id == 16


def test_half_a_frame_where_numbers_run_round_costs_no_other(camera):
    camera.faults.half.update({34, 35})
    for number in range(1, 40):
        if number in camera.faults.half:
            with pytest.raises(DeviceError, match="half"):
                look(camera)
        else:
            look(camera)


def test_frame_left_unread_is_not_taken_for_the_next(camera, lamps):
    camera.trigger(1000.0)
    lamps.lit = (6,)
    assert look(camera).max() == 7


@pytest.mark.parametrize(("late_us", "told"), [(20_001.0, "ended 1 us late"), (-5.0, "began 5 us before")])
def test_exposure_outside_its_time_is_refused(camera, late_us, told):
    camera.faults.late_us[1] = late_us
    with pytest.raises(DeviceError, match=told):
        look(camera)
    look(camera)


def test_exposure_may_use_the_whole_latency(camera):
    camera.faults.late_us[1] = 20_000.0
    look(camera)


def test_unplugged_camera_is_told_and_connects_again(camera):
    camera.faults.unplugged.add(1)
    with pytest.raises(DeviceError, match="gone"):
        look(camera)
    with pytest.raises(DeviceError, match="must be made ready"):
        camera.trigger(1000.0)
    camera.ensure_ready()
    assert look(camera).max() == 1


def test_camera_unplugged_between_trigger_and_frame_is_told(camera):
    camera.trigger(1000.0)
    camera.faults.gone = True
    camera._io.pop(0)
    with pytest.raises(DeviceError, match="must stay connected"):
        camera.read_frame()


def test_missing_camera_is_told_at_once(lamps):
    camera = SimCamera(loopback_camera(), lamps, lambda: (0, 0), lambda: (), CameraFaults(gone=True))
    with pytest.raises(DeviceError, match="nobody does"):
        camera.ensure_ready()


def test_camera_that_sends_nothing_is_told_at_the_start(lamps):
    camera = SimCamera(loopback_camera(), lamps, lambda: (0, 0), lambda: (), CameraFaults(silent={0, 1}))
    camera.ensure_ready()
    with pytest.raises(DeviceError, match="none came after the start; let UDP through"):
        camera.start_acquiring()


def test_first_frame_of_a_stream_may_be_lost(lamps):
    settings = loopback_camera(width_px=8, height_px=6)
    camera = SimCamera(settings, lamps, lambda: (0, 0), lambda: lamps.lit, CameraFaults(silent={0}))
    camera.ensure_ready()
    camera.start_acquiring()
    assert look(camera).max() == 1


def test_refused_exposure_tells_the_range(camera):
    with pytest.raises(DeviceError, match=r"exposure_us must be 10 to 1e\+07 for this camera, got 5"):
        camera.trigger(5.0)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"x_px": 4}, "x_px must be 0 to 0"),
        ({"width_px": 5000}, "width_px must be 1 to 4096"),
        ({"pixel_format": "Mono8"}, "pixel_format must be one of Mono16, BayerGR16 for this camera, got Mono8"),
        ({"trigger_source": "Line3"}, "trigger_source must be one of Software, Line0"),
    ],
)
def test_refused_setting_tells_what_is_accepted(lamps, values, told):
    camera = SimCamera(CameraSettings(**values), lamps, lambda: (0, 0), lambda: ())
    with pytest.raises(DeviceError, match=told):
        camera.ensure_ready()


def test_value_read_back_otherwise_is_refused(lamps):
    camera = SimCamera(CameraSettings(gain_db=6), lamps, lambda: (0, 0), lambda: ())
    camera._io.write = lambda feature, value: 5.0 if feature == "gain_db" else value
    with pytest.raises(DeviceError, match="gain_db must read back as written, got 5 for 6"):
        camera.ensure_ready()


def test_frame_with_more_bits_than_stated_is_refused(camera, lamps):
    lamps.lit = (4095,)
    with pytest.raises(DeviceError, match="12 bits, got 4096"):
        look(camera)


def test_hardware_trigger_waits_for_the_line(lamps):
    settings = CameraSettings(width_px=8, height_px=6, trigger_source="Line0")
    camera = SimCamera(settings, lamps, lambda: (0, 0), lambda: lamps.lit)
    camera.ensure_ready()
    camera.start_acquiring()
    for group in (2, 8):
        lamps.lit = (group,)
        camera.trigger(1000.0)
        lamps.lit = (0,)
        assert camera.read_frame().max() == 1 + group


def test_line_that_never_fires_is_told(lamps):
    settings = CameraSettings(width_px=8, height_px=6, trigger_source="Line0")
    camera = SimCamera(settings, lamps, lambda: (0, 0), lambda: (), CameraFaults(silent={0}))
    camera.ensure_ready()
    camera.start_acquiring()
    with pytest.raises(DeviceError, match=r"none came; check its trigger \(Line0\)"):
        camera.trigger(1000.0)


def test_stopping_twice_or_unplugged_is_no_error(camera):
    camera.faults.gone = True
    camera.ensure_stopped()
    camera.ensure_stopped()


def test_two_cameras_keep_apart(lamps):
    cameras = [
        SimCamera(loopback_camera(width_px=4, height_px=4), lamps, lambda x_mm=x_mm: (x_mm, 0), lambda: (0,))
        for x_mm in (0.0, 20.0)
    ]
    for camera in cameras:
        camera.ensure_ready()
        camera.start_acquiring()
    for camera in cameras:
        camera.trigger(1000.0)
    assert [camera.read_frame().max() for camera in cameras] == [1, 2001]
