"""The rig's camera through the real protocol: Aravis against Aravis' own device, in another process."""

import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from glassline.errors import DeviceError
from hardware_ingest.camera.build import build_camera
from hardware_ingest.camera.gige_device import GigeDevice
from hardware_ingest.camera.settings import loopback_camera

try:
    import hardware_ingest.camera.io  # noqa: F401
except DeviceError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(str(missing), allow_module_level=True)


class Served:
    """A device in its own process, and its lamps."""

    def __init__(self, address="127.0.0.1", serial="GIGE-0", lost_packets=0.0):
        script = Path(__file__).with_name("serve_camera.py")
        command = [sys.executable, str(script), address, serial, str(lost_packets)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def light(self, lamp):
        self.process.stdin.write(f"{lamp}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "lit\n"

    def stop(self):
        self.process.communicate(timeout=20)
        assert self.process.returncode == 0

    def kill(self):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def served(**told):
    device = Served(**told)
    try:
        yield device
        device.stop()
    finally:
        device.kill()


@contextlib.contextmanager
def acquiring(**changes):
    camera = build_camera(loopback_camera(width_px=256, height_px=128).model_copy(update=changes))
    try:
        camera.ensure_ready()
        camera.start_acquiring()
        yield camera
    finally:
        camera.ensure_stopped()


def attempt(camera, exposure_us=1000.0, meanwhile=lambda: None):
    """Return a frame and nothing, or nothing and what was refused."""
    try:
        camera.trigger(exposure_us)
        meanwhile()
        return camera.read_frame(), ""
    except DeviceError as error:
        camera.ensure_ready()
        return None, str(error)


def look(camera, exposure_us=1000.0, meanwhile=lambda: None, prepare=lambda: None):
    """Return a frame; on a busy computer a late exposure is refused and taken again."""
    for _ in range(8):
        prepare()
        frame_HW, told = attempt(camera, exposure_us, meanwhile)
        if frame_HW is not None:
            return frame_HW
        assert "late" in told
    raise AssertionError(told)


def test_every_frame_shows_the_lamp_of_its_trigger_though_lamps_change_during_read_out():
    with served() as device, acquiring(width_px=1024, height_px=1024) as camera:
        for lamp in np.random.default_rng(0).permutation(60):
            frame_HW = look(
                camera,
                exposure_us=500.0 + 40.0 * float(lamp),
                prepare=lambda lamp=lamp: device.light(lamp),
                meanwhile=lambda: device.light(4000),
            )
            assert set(np.unique(frame_HW)) == {lamp}


def test_exposure_later_than_stated_is_refused():
    with served() as device, acquiring(trigger_latency_us=0.0) as camera:
        device.light(1)
        attempts = [attempt(camera, 10.0) for _ in range(30)]
        told = [problem for frame_HW, problem in attempts if frame_HW is None]
        assert told
        assert all("raise trigger_latency_us (0)" in problem for problem in told)
        assert all(frame_HW.max() == 1 for frame_HW, _ in attempts if frame_HW is not None)


def test_camera_is_found_by_serial_number():
    with served(serial="GIGE-7"), acquiring(device="GIGE-7") as camera:
        info = camera.ensure_ready()
        assert (info.serial, info.width_px, info.height_px) == ("GIGE-7", 256, 128)
        assert (info.pattern, info.bit_depth) == ("GRBG", 12)


def test_unknown_camera_is_told_with_those_that_are_there():
    with served(serial="GIGE-7"), pytest.raises(DeviceError, match=r"as NOBODY, found Aravis-Fake-GIGE-7"):
        build_camera(loopback_camera("NOBODY")).ensure_ready()


def test_lost_packets_are_told_and_never_become_a_frame():
    with served(lost_packets=0.02) as device, acquiring(clock_synchronised=False) as camera:
        told = []
        for lamp in range(1, 61):
            device.light(lamp)
            frame_HW, problem = attempt(camera)
            told += [problem] if problem else []
            assert frame_HW is None or set(np.unique(frame_HW)) == {lamp}
        assert 0 < len(told) < 60
        assert all("half a frame" in problem for problem in told)


def test_unplugged_camera_is_told_and_comes_back():
    with contextlib.ExitStack() as stack:
        first = Served()
        stack.callback(first.kill)
        camera = stack.enter_context(acquiring())
        first.kill()
        with pytest.raises(DeviceError, match="check its power"):
            camera.trigger(1000.0)
        with pytest.raises(DeviceError):
            camera.ensure_ready()
        stack.enter_context(served())
        camera.ensure_ready()
        assert look(camera).max() == 0


def test_camera_held_by_another_program_is_told():
    with served(), acquiring(), pytest.raises(DeviceError, match="another program holds 127"):
        build_camera(loopback_camera()).ensure_ready()


def test_program_that_died_does_not_lock_the_camera():
    died = (
        "import os; from hardware_ingest.camera.build import build_camera; "
        "from hardware_ingest.camera.settings import loopback_camera; "
        "camera = build_camera(loopback_camera()); camera.ensure_ready(); camera.start_acquiring(); "
        "camera.trigger(1000.0); os._exit(0)"
    )
    with served():
        subprocess.run([sys.executable, "-c", died], check=True)
        with acquiring() as camera:
            assert look(camera).max() == 0


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"width_px": 4096}, "width_px must be 1 to 2048 for this camera, got 4096"),
        ({"gain_db": 20.0}, "gain_db must be 0 to 10 for this camera, got 20"),
        ({"pixel_format": "BayerGR12", "mosaic": None}, "pixel_format must be one of .*Mono16.* got BayerGR12"),
        ({"trigger_source": "Line7"}, "trigger_source must be one of Line0, Software for this camera, got Line7"),
    ],
)
def test_refused_setting_tells_what_is_accepted(changes, told):
    with served(), pytest.raises(DeviceError, match=told), acquiring(**changes):
        pass


@pytest.fixture
def second_address():
    """A second loopback address; root alone may add it."""
    change = ["ip", "addr", "add", "127.0.0.2/8", "dev", "lo"]
    added = subprocess.run(change, capture_output=True).returncode == 0
    yield "127.0.0.2"
    if added:
        subprocess.run([*change[:2], "del", *change[3:]], check=True)


def test_two_cameras_expose_at_once(second_address):
    with (
        served(serial="GIGE-0") as left, served(address=second_address, serial="GIGE-1") as right,
        acquiring(device="GIGE-0") as one, acquiring(device=second_address, name="second") as other,
        ThreadPoolExecutor(2) as together,
    ):  # fmt: skip
        for lamp in range(1, 21):
            left.light(lamp)
            right.light(100 + lamp)
            frames = list(together.map(look, (one, other)))
            assert [set(np.unique(frame_HW)) for frame_HW in frames] == [{lamp}, {100 + lamp}]


def test_second_device_on_an_address_is_refused():
    with served(), pytest.raises(DeviceError, match="address of its own, got 127"), GigeDevice(None):
        pass
