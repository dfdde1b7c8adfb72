"""A simulated GigE Vision camera on a network interface: Aravis' device, with pictures from Python.

Aravis' device speaks the real protocol (discovery, GenICam registers, GVCP, GVSP). It looks for a software trigger at
every tick of its clock, and exposes then. It has no answer to a request to send a lost packet again.

It must run in another process than the camera's program: both have a thread that waits for the other.
"""

import ctypes
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import numpy as np

from glassline.errors import DeviceError
from hardware_ingest.devices import Frame

#: Exposure in us, gain in dB, width and height in px -> what returns the 12-bit frame (H, W).
See = Callable[[float, float, int, int], Callable[[], Frame]]

#: How often the device looks for a trigger. It spins through the last millisecond before a tick, so faster costs CPU.
TICK_HZ = 200.0

_GVCP_PORT = 3956
_MONO16 = 0x0110_0007
_Fill = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)


class GigeDevice:
    """A camera that others find on the network while this object is open."""

    def __init__(
        self, see: See, serial: str = "RIG-CAM-0", address: str = "127.0.0.1", lost_packets: float = 0.0
    ) -> None:
        """Describe the camera; nothing is on the network yet.

        Args:
            see: What it sees, called in a thread of Aravis. It is called as the shutter opens and takes down what is
                lit and where the stage is; what it returns is called once the exposure is over, for the frame.
            serial: Serial number.
            address: IP address of the network interface; one camera per address.
            lost_packets: Share of the stream's packets that are lost.
        """
        self._see, self._serial, self._address, self._lost_packets = see, serial, address, lost_packets
        self._fill = _Fill(self._expose)
        self._device: int | None = None
        #: What the last call of `see` raised; its frame is black.
        self.error: Exception | None = None

    def __enter__(self) -> "GigeDevice":
        """Put the camera on the network.

        Raises:
            DeviceError: Aravis is missing, or the address is taken or not of this computer.
        """
        self._aravis, self._gobject = _libraries()
        _must_be_free(self._address)
        self._device = self._aravis.arv_gv_fake_camera_new(self._address.encode(), self._serial.encode())
        if not self._aravis.arv_gv_fake_camera_is_running(self._device):
            self.__exit__()
            raise DeviceError(
                f"a simulated camera must have an address of this computer, got {self._address}; add it as root: "
                f"ip addr add {self._address}/8 dev lo"
            )
        self._gobject.g_object_set(
            self._device, b"gvsp-lost-ratio", ctypes.c_double(self._lost_packets), ctypes.c_void_p()
        )
        camera = self._aravis.arv_gv_fake_camera_get_fake_camera(self._device)
        self._aravis.arv_fake_camera_set_trigger_frequency(camera, TICK_HZ)
        self._aravis.arv_fake_camera_set_fill_pattern(camera, self._fill, None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None = None, error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:  # fmt: skip
        """Take the camera off the network; waits for a frame under way."""
        if self._device:
            self._gobject.g_object_unref(self._device)
            self._device = None

    def _expose(self, buffer: int, _user: object, exposure_us: int, gain_db: int, pixel_format: int) -> None:
        """Fill the buffer: Aravis calls this when the shutter opens."""
        width_px = self._aravis.arv_buffer_get_image_width(buffer)
        height_px = self._aravis.arv_buffer_get_image_height(buffer)
        size = width_px * height_px * (pixel_format >> 16 & 0xFF) // 8  # the format's number tells its bits per pixel
        address = self._aravis.arv_buffer_get_data(buffer, None)
        memory = np.ctypeslib.as_array((ctypes.c_uint8 * size).from_address(address))
        try:
            if pixel_format != _MONO16:
                raise DeviceError(f"the simulated camera sends Mono16 only, got {pixel_format:#x}; choose Mono16")
            develop = self._see(exposure_us, gain_db, width_px, height_px)
            # Aravis has set the time already, but this thread may have waited since. What is taken down was lit by now.
            self._aravis.arv_buffer_set_timestamp(buffer, time.time_ns())
            time.sleep(exposure_us / 1e6)
            memory.view("<u2").reshape(height_px, width_px)[:] = develop()
        # An exception cannot pass through Aravis.
        except Exception as error:
            self.error = error
            memory[:] = 0


def _must_be_free(address: str) -> None:
    """Find out what Aravis would only log.

    Raises:
        DeviceError: Another camera listens there, or the address is none.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, _GVCP_PORT))
    except OSError as error:
        raise DeviceError(
            f"a simulated camera must have an address of its own, got {address} ({error.strerror or error}); stop the "
            "other camera or name another address"
        ) from None


def _libraries() -> tuple[Any, Any]:
    """Return Aravis and GObject with the types of what is called; introspection crashes on the fill callback.

    Raises:
        DeviceError: Aravis is missing.
    """
    try:
        aravis, gobject = ctypes.CDLL("libaravis-0.8.so.0"), ctypes.CDLL("libgobject-2.0.so.0")
    except OSError as missing:
        raise DeviceError(
            f"a simulated GigE Vision camera needs Aravis 0.8, got {missing}; install Debian's gir1.2-aravis-0.8"
        ) from None
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures: list[tuple[Any, Any, list[Any]]] = [
        (aravis.arv_gv_fake_camera_new, pointer, [text, text]),
        (aravis.arv_gv_fake_camera_is_running, number, [pointer]),
        (aravis.arv_gv_fake_camera_get_fake_camera, pointer, [pointer]),
        (aravis.arv_fake_camera_set_trigger_frequency, None, [pointer, ctypes.c_double]),
        (aravis.arv_fake_camera_set_fill_pattern, None, [pointer, _Fill, pointer]),
        (aravis.arv_buffer_get_data, pointer, [pointer, pointer]),
        (aravis.arv_buffer_set_timestamp, None, [pointer, ctypes.c_uint64]),
        (aravis.arv_buffer_get_image_width, number, [pointer]),
        (aravis.arv_buffer_get_image_height, number, [pointer]),
        (gobject.g_object_unref, None, [pointer]),
    ]
    for function, result, arguments in signatures:
        function.restype, function.argtypes = result, arguments
    # g_object_set takes any number of arguments: the first two are typed here, the others where it is called.
    gobject.g_object_set.restype, gobject.g_object_set.argtypes = None, [pointer, text]
    return aravis, gobject
