"""Settings of the pipeline `capture`."""

from pipelines.capture_settings import CaptureSettings


def test_annotations_lie_beside_the_session_in_s3_as_in_a_folder() -> None:
    beside = CaptureSettings(annotations="../boxes.json")
    assert beside.arguments("/rig/captures", "", "/store")["annotations"] == "/rig/boxes.json"
    assert beside.arguments("s3://rig/line-3/captures", "", "/store")["annotations"] == "s3://rig/line-3/boxes.json"
