"""A GenICam camera by Aravis: the one module that imports `gi`."""

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from glassline.errors import DeviceError
from hardware_ingest.camera.protocol import Arrival, Choice, Feature, StreamStatistics
from hardware_ingest.camera.settings import CameraSettings

try:
    import gi

    gi.require_version("Aravis", "0.8")
    from gi.repository import Aravis, GLib
except (ImportError, ValueError) as missing:
    raise DeviceError(
        f"a GenICam camera needs Aravis 0.8 and its Python binding, got {missing}; install glassline[camera] and "
        "Debian's gir1.2-aravis-0.8"
    ) from None

#: GigE Vision cameras forget a silent controller after 3 s unless told otherwise.
_HEARTBEAT_S = 4.0

_COUNTS = {
    "frames": "n_completed_buffers",
    "failures": "n_failures",
    "underruns": "n_underruns",
    "missing_packets": "n_missing_packets",
    "resend_requests": "n_resend_requests",
    "resent_packets": "n_resent_packets",
}


class AravisIO:
    """One camera on the wire."""

    def __init__(self, settings: CameraSettings) -> None:
        """Take settings; nothing is contacted yet."""
        self._settings = settings
        self._camera: Any = None
        self._stream: Any = None
        self._lost = False

    def connect(self) -> tuple[str, str]:
        """Take control of the camera and return its model and serial number."""
        with self._telling("connect"):
            self._camera = camera = Aravis.Camera.new(self._found())
            self._take_control(camera.get_device())
            # A program that died may have left it streaming, to an address where nobody listens.
            camera.stop_acquisition()
            # Only what is stated may decide what is seen.
            if camera.is_exposure_auto_available():
                camera.set_exposure_time_auto(Aravis.Auto.OFF)
            if camera.is_gain_auto_available():
                camera.set_gain_auto(Aravis.Auto.OFF)
            camera.gv_set_packet_size_adjustment(Aravis.GvPacketSizeAdjustment.NEVER)
            camera.set_acquisition_mode(Aravis.AcquisitionMode.CONTINUOUS)
            self._lost = False
            return camera.get_model_name(), camera.get_device_serial_number()

    def _found(self) -> str:
        """Return the address or the Aravis id of the camera; a serial number is looked up."""
        wanted = self._settings.device
        with suppress(ValueError):
            return str(ipaddress.ip_address(wanted))
        Aravis.update_device_list()
        for number in range(Aravis.get_n_devices()):
            device_id: str = Aravis.get_device_id(number)
            if wanted in (device_id, Aravis.get_device_serial_nbr(number)):
                return device_id
        seen = ", ".join(Aravis.get_device_id(number) for number in range(Aravis.get_n_devices())) or "none"
        raise DeviceError(
            f"{self._settings.name} must be on the network as {wanted}, found {seen}; check its power, cable and name"
        )

    def _take_control(self, device: Any) -> None:
        """Become the camera's controller; one that died holds it until the camera misses its heartbeat."""
        until_s = time.monotonic() + _HEARTBEAT_S
        while not device.is_controller():
            if time.monotonic() > until_s:
                raise DeviceError(
                    f"{self._settings.name} must be free, another program holds {self._settings.device}; stop that one"
                )
            time.sleep(0.25)
            with suppress(GLib.Error):
                device.take_control()
        device.connect("control-lost", self._on_lost)

    def _on_lost(self, _device: object) -> None:
        self._lost = True

    def bounds(self, feature: Feature) -> tuple[float, float]:
        """Return the least and the greatest value that the camera accepts now."""
        if feature == "packet_bytes":
            return 576, 65_500
        camera = self._camera
        ask: dict[Feature, Callable[[], Any]] = {
            "x_px": camera.get_x_offset_bounds,
            "y_px": camera.get_y_offset_bounds,
            "width_px": camera.get_width_bounds,
            "height_px": camera.get_height_bounds,
            "gain_db": camera.get_gain_bounds,
            "exposure_us": camera.get_exposure_time_bounds,
        }
        with self._telling(f"tell the range of {feature}"):
            low, high = ask[feature]()
            return float(low), float(high)

    def write(self, feature: Feature, value: float) -> float:
        """Write a number and return what the camera reads back."""
        camera = self._camera
        numbers: dict[Feature, tuple[Callable[[Any], None], Callable[[], float], type]] = {
            "x_px": _integer(camera, "OffsetX"),
            "y_px": _integer(camera, "OffsetY"),
            "width_px": _integer(camera, "Width"),
            "height_px": _integer(camera, "Height"),
            "packet_bytes": (camera.gv_set_packet_size, camera.gv_get_packet_size, int),
            "gain_db": (camera.set_gain, camera.get_gain, float),
            "exposure_us": (camera.set_exposure_time, camera.get_exposure_time, float),
        }
        put, get, kind = numbers[feature]
        with self._telling(f"accept {feature} = {value:g}"):
            put(kind(value))
            return get()

    def choices(self, choice: Choice) -> list[str]:
        """Return what the camera offers."""
        with self._telling(f"tell its choices of {choice}"):
            if choice == "pixel_format":
                return list(self._camera.dup_available_pixel_formats_as_strings())
            return list(self._camera.dup_available_trigger_sources())

    def choose(self, choice: Choice, value: str) -> str:
        """Write one of the choices and return what the camera reads back."""
        with self._telling(f"accept {choice} = {value}"):
            if choice == "pixel_format":
                self._camera.set_pixel_format_from_string(value)
                return str(self._camera.get_pixel_format_as_string())
            self._camera.set_trigger(value)
            return str(self._camera.get_trigger_source())

    def start(self) -> None:
        """Start a fresh stream: no frame of an earlier one can arrive in it."""
        with self._telling("start its stream"):
            stream = self._camera.create_stream(None, None)
            # Without the right to open a packet socket the kernel's buffer must hold a frame.
            stream.props.socket_buffer = Aravis.GvStreamSocketBuffer.AUTO
            payload = self._camera.get_payload()
            for _ in range(self._settings.buffers):
                stream.push_buffer(Aravis.Buffer.new_allocate(payload))
            self._stream = stream
            self._camera.start_acquisition()

    def fire(self) -> None:
        """Send the software trigger; returns once the camera has acknowledged it."""
        with self._telling("take a trigger"):
            self._camera.software_trigger()

    def pop(self, timeout_us: float) -> Arrival | None:
        """Return the oldest arrival, None when none came in time."""
        buffer = self._stream.timeout_pop_buffer(int(timeout_us)) if timeout_us else self._stream.try_pop_buffer()
        if buffer is None:
            return None
        try:
            return self._arrival(buffer)
        finally:
            self._stream.push_buffer(buffer)

    def _arrival(self, buffer: Any) -> Arrival:
        """Copy the frame out: the buffer is filled again once it is pushed back."""
        settings, frame_id, started_ns = self._settings, buffer.get_frame_id(), buffer.get_timestamp()
        if buffer.get_status() != Aravis.BufferStatus.SUCCESS:
            return Arrival(frame_id, None, buffer.get_status().value_nick.replace("-", " "), started_ns)
        data = buffer.get_data()  # bytes of its own: the one copy
        expected = settings.height_px * settings.width_px * settings.bytes_per_px
        if len(data) != expected:
            return Arrival(frame_id, None, f"{len(data)} bytes where {expected} make a frame", started_ns)
        flat = np.frombuffer(data, "<u2" if settings.bytes_per_px == 2 else np.uint8)
        frame_HW = flat.reshape(settings.height_px, settings.width_px).astype(np.uint16, copy=False)
        return Arrival(frame_id, frame_HW, "", started_ns)

    def is_lost(self) -> bool:
        """Return whether the camera is known to be gone."""
        return self._lost

    def statistics(self) -> StreamStatistics:
        """Return the counts of the stream."""
        stream = self._stream
        return StreamStatistics(
            **{name: stream.get_info_uint64_by_name(told) if stream else 0 for name, told in _COUNTS.items()}
        )

    def stop(self) -> None:
        """Stop the stream."""
        if self._stream is None:
            return
        with self._telling("stop its stream"):
            self._camera.stop_acquisition()
        self._stream = None

    def close(self) -> None:
        """Let go of the camera; never raises."""
        if not self._lost:
            with suppress(DeviceError):
                self.stop()
        # The last reference gives control of the camera back.
        self._stream = self._camera = None

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """Turn Aravis' errors into ours."""
        try:
            yield
        except GLib.Error as error:
            # Every further word to a camera that is gone would be waited out in full.
            self._lost |= error.matches(Aravis.device_error_quark(), Aravis.DeviceError.TIMEOUT)
            raise DeviceError(
                f"{self._settings.name} must {what}, got {error.message!r} from {self._settings.device}; check its "
                "power, cable and address, and that no other program holds it"
            ) from None


def _integer(camera: Any, name: str) -> tuple[Callable[[Any], None], Callable[[], float], type]:
    return lambda value: camera.set_integer(name, value), lambda: camera.get_integer(name), int
