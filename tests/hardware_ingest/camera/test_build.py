import sys

import pytest

from glassline.errors import DeviceError
from hardware_ingest.camera.build import build_camera
from hardware_ingest.camera.settings import CameraSettings


def test_missing_binding_tells_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gi", None)
    monkeypatch.delitem(sys.modules, "hardware_ingest.camera.io", raising=False)
    with pytest.raises(DeviceError, match=r"install glassline\[camera\] and Debian's gir1\.2-aravis-0\.8"):
        build_camera(CameraSettings())
