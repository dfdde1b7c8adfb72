"""The rig through its real protocols: GigE Vision, Modbus/TCP and GRBL, served by a process of its own, and its faults.

After each fault: lights off, stage still, whole zones only, and the session goes on when told again.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.errors import DeviceError, StorageError
from hardware_ingest.rig.build import build_rig
from hardware_ingest.rig.settings import RigSettings, read_rig
from hardware_ingest.session.record import Job
from hardware_ingest.session.result import SessionResult, Written
from hardware_ingest.session.session import capture_glass
from hardware_ingest.simulated_rig.glasses import Glasses
from hardware_ingest.simulated_rig.process import RigProcess, simulator

try:
    import hardware_ingest.camera.io  # noqa: F401
except DeviceError as missing:
    if os.environ.get("CI"):
        raise
    pytest.skip(str(missing), allow_module_level=True)

ZONES = 6


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigProcess]:
    """A simulated rig of 3 x 2 zones of 512 px, on an address of its own."""
    address = "127.0.0.7"
    subprocess.run(["ip", "addr", "add", f"{address}/8", "dev", "lo"], capture_output=True)
    options = ("--columns", 3, "--rows", 2, "--zone-px", 512, "--address", address)
    with simulator(tmp_path_factory.mktemp("rig"), *options) as process:
        yield process


@pytest.fixture
def rig(served: RigProcess) -> Iterator[RigProcess]:
    """The simulated rig, whole again after each test."""
    yield served
    served.tell("mend")
    served.tell("camera-back")


def settings_of(rig: RigProcess, **changes: object) -> RigSettings:
    settings = read_rig(rig.rig_file).model_copy(update={"settle_ms": 1.0, "retry_wait_s": 0.1})
    cameras = tuple(camera.model_copy(update={"frame_timeout_ms": 500.0}) for camera in settings.cameras)
    return settings.model_copy(update={"cameras": cameras, **changes})


def capture(
    rig: RigProcess, out: Path, meanwhile: Callable[[], object] = lambda: None, **changes: object
) -> SessionResult:
    """Capture a glass; once its first zone is whole, something happens."""

    def tell(event: object) -> None:
        if isinstance(event, Written) and event.ref.zone == 0:
            meanwhile()

    job = Job(glass="G0001", kind="clean", product="P", cycle="1")
    return capture_glass(build_rig(settings_of(rig, **changes)), job, out, tell)


def whole(out: Path) -> list[int]:
    captures = open_captures(out)
    refs = captures.zones()
    assert not any(captures.verify(ref) for ref in refs)
    return [ref.zone for ref in refs]


def check_safe_and_goes_on(rig: RigProcess, out: Path) -> None:
    """Lights off, stage still; some zones are whole and are not taken again; the others follow."""
    state = rig.tell("state")
    assert state.startswith("groups lit []")
    assert state.endswith(("Hold:0", "Alarm", "Idle"))
    before = whole(out)
    assert 0 < len(before) < ZONES
    rig.tell("mend")
    result = capture(rig, out)
    assert (result.zones, result.already_whole) == (ZONES - len(before), len(before))
    assert whole(out) == list(range(ZONES))


def test_glass_is_captured_as_the_bench_shows_it(rig: RigProcess, tmp_path: Path):
    result = capture(rig, tmp_path)
    assert (result.zones, result.frames) == (ZONES, 6 * ZONES)
    captures, settings = open_captures(tmp_path), read_rig(rig.rig_file)
    scene = Glasses(settings, "standard", 0).scene("G0001", "clean")
    ref = ZoneRef("G0001", "clean", 4)
    meta, frames_SHW = captures.meta(ref), captures.read(ref)
    assert (meta.pattern, meta.bit_depth, meta.camera_model) == ("GRBG", 12, "Fake")
    for state, frame_HW in enumerate(frames_SHW):
        shown_HW = scene.expose(
            meta.stage_x_mm, meta.stage_y_mm, (state, state + 6), meta.exposure_us[state], meta.gain_db, (512, 512)
        )
        assert abs(float(np.median(frame_HW)) - float(np.median(shown_HW))) <= 2


def test_camera_unplugged_within_a_zone(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"zone \d failed in 2 tries: camera must.*go on with zone \d"):
        capture(rig, tmp_path, lambda: rig.tell("camera-gone"), retries=1)
    check_safe_and_goes_on(rig, tmp_path)


def test_camera_plugged_in_again_is_connected_anew(rig: RigProcess, tmp_path: Path):
    def out_and_in() -> None:
        rig.tell("camera-gone")
        rig.tell("camera-back")

    assert capture(rig, tmp_path, out_and_in, retries=5).retries > 0
    assert whole(tmp_path) == list(range(ZONES))


def test_frames_that_do_not_come_in_time(rig: RigProcess, tmp_path: Path):
    # No try is left for a frame that a busy computer exposes late: it may take its time.
    cameras = tuple(one.model_copy(update={"trigger_latency_us": 100_000.0}) for one in settings_of(rig).cameras)
    with pytest.raises(DeviceError, match=r"zone \d failed in 1 try: camera must send a frame within"):
        capture(rig, tmp_path, lambda: rig.tell("slow 1.5"), retries=0, frame_retries=0, cameras=cameras)
    check_safe_and_goes_on(rig, tmp_path)


def test_half_frames(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"zone \d failed in \d tr.*: camera must"):
        capture(rig, tmp_path, lambda: rig.tell("loss 0.7"), retries=1)
    check_safe_and_goes_on(rig, tmp_path)


def test_few_lost_packets_cost_frames_and_no_zone(rig: RigProcess, tmp_path: Path):
    rig.tell("loss 0.01")
    assert capture(rig, tmp_path, frame_retries=50).retaken > 0
    assert whole(tmp_path) == list(range(ZONES))


def test_group_that_dies_on_the_way_is_named(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"LED group 4 \(120 deg\) must lift"):
        capture(rig, tmp_path, lambda: rig.tell("dead 4"))
    check_safe_and_goes_on(rig, tmp_path)


def test_alarm_of_the_stage(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"zone \d failed in 1 try: stage /dev/\S+ stopped with ALARM:1"):
        capture(rig, tmp_path, lambda: rig.tell("alarm"), retries=0)
    check_safe_and_goes_on(rig, tmp_path)


def test_alarm_of_the_stage_is_left_by_homing(rig: RigProcess, tmp_path: Path):
    assert capture(rig, tmp_path, lambda: rig.tell("alarm")).retries == 1
    assert whole(tmp_path) == list(range(ZONES))


def test_noise_on_the_serial_line(rig: RigProcess, tmp_path: Path):
    capture(rig, tmp_path, lambda: rig.tell("noise 0.05"), retries=5)
    assert whole(tmp_path) == list(range(ZONES))


def test_silent_stage_may_still_move(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"got no answer, asked 5 times.*NOT SAFE: stage"):
        capture(rig, tmp_path, lambda: rig.tell("silent"), retries=0)
    check_safe_and_goes_on(rig, tmp_path)


def test_lights_server_gone_says_that_the_lights_may_be_on(rig: RigProcess, tmp_path: Path):
    with pytest.raises(DeviceError, match=r"NOT SAFE: illuminator .*switch off the ring's power by hand"):
        capture(rig, tmp_path, lambda: rig.tell("lights-gone"), retries=1)
    assert rig.tell("state").endswith(("Hold:0", "Idle"))
    before = whole(tmp_path)
    rig.tell("lights-back")
    assert capture(rig, tmp_path).already_whole == len(before)
    assert rig.tell("state").startswith("groups lit []")


def test_full_disk(rig: RigProcess, tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=True)
    try:
        with pytest.raises(StorageError, match=r"the lights are off.*go on with zone \d"):
            capture(rig, disk)
        assert rig.tell("state").startswith("groups lit []")
        before = whole(disk)
        assert 0 < len(before) < ZONES
        subprocess.run(["mount", "-o", "remount,size=32m", str(disk)], check=True)
        assert capture(rig, disk).already_whole == len(before)
        assert whole(disk) == list(range(ZONES))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def started(rig: RigProcess, out: Path) -> "subprocess.Popen[str]":
    """Start the command in a process of its own and return it once its first zone is whole."""
    words = ["capture", "--rig", rig.rig_file, "--glass", "G0001", "--product", "P", "--out", out]
    process = subprocess.Popen(
        [sys.executable, "-m", "glassline_cli", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    assert "G0001_clean_00" in process.stdout.readline()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stop_signal(rig: RigProcess, tmp_path: Path, number: signal.Signals):
    rig.tell("slow 0.2")
    with started(rig, tmp_path) as process:
        process.send_signal(number)
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"a stop was asked for ({number.name}); the lights are off" in told
    assert told.count("\n") == 1
    check_safe_and_goes_on(rig, tmp_path)


def test_killed_session_leaves_whole_zones_and_goes_on(rig: RigProcess, tmp_path: Path):
    rig.tell("slow 0.2")
    with started(rig, tmp_path) as process:
        process.kill()
    before = whole(tmp_path)
    assert 0 < len(before) < ZONES
    rig.tell("mend")
    assert capture(rig, tmp_path).already_whole == len(before)
    assert whole(tmp_path) == list(range(ZONES))
    assert rig.tell("state").startswith("groups lit []")
