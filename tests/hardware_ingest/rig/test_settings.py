import pytest

from glassline.errors import SettingsError
from hardware_ingest.rig.settings import LightState, RigSettings, read_rig


def test_a_light_state_lights_opposite_groups():
    assert [LightState(azimuth_deg=30 * state).groups for state in range(6)] == [(n, n + 6) for n in range(6)]


def test_an_azimuth_between_two_groups_is_refused():
    with pytest.raises(SettingsError, match=r"one of 0, 30, 60, 90, 120, 150, got 45"):
        RigSettings.parse({"light_states": [{"azimuth_deg": 45}]})


def test_a_rig_is_read_from_its_file(tmp_path):
    path = tmp_path / "rig.yaml"
    path.write_text(
        "gain_db: 6\nstage: {kind: grbl, port: /dev/ttyACM0}\ncameras: [{kind: genicam, device: A-1}]\n"
        "illuminator: {kind: modbus}\n"
    )
    rig = read_rig(path)
    assert (rig.gain_db, rig.stage.port, rig.cameras[0].device) == (6, "/dev/ttyACM0", "A-1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("gain: 6", "gain: Extra inputs are not permitted.*known settings: scan, grid"),
        ("[1, 2]", "settings with names, got list"),
        ("a: [", "YAML file that can be read"),
        ("stage: {x_limits_mm: [9, 1]}", r"low < high, got \[9, 1\]"),
        ("illuminator: {kind: modbus}\ncameras: [{kind: genicam}]", "all real or all simulated, got stage simulated"),
        ("cameras: [{width_px: 100}]", r"cameras must not set width_px.*set grid\.width_px"),
    ],
)
def test_a_bad_rig_file_says_what_to_mend(tmp_path, text, told):
    path = tmp_path / "rig.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=told):
        read_rig(path)


def test_a_rig_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(SettingsError, match="can be read"):
        read_rig(tmp_path / "none.yaml")


def test_a_camera_sees_frames_as_large_as_a_zone():
    rig = RigSettings(gain_db=3)
    camera = rig.camera(0)
    assert (camera.width_px, camera.height_px, camera.gain_db) == (1024, 1024, 3)


def test_cameras_of_one_name_are_told_apart():
    rig = RigSettings.parse({"cameras": [{}, {"name": "left"}, {}]})
    assert [rig.camera(number).name for number in range(3)] == ["camera 0", "left", "camera 2"]
