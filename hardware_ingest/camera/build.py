"""Wire a real camera together."""

from hardware_ingest.camera.logic import TriggeredCamera
from hardware_ingest.camera.settings import CameraSettings


def build_camera(settings: CameraSettings) -> TriggeredCamera:
    """Return a GenICam camera; nothing is contacted yet.

    Raises:
        DeviceError: Aravis or its Python binding is missing.
    """
    from hardware_ingest.camera.io import AravisIO

    return TriggeredCamera(settings, AravisIO(settings))
