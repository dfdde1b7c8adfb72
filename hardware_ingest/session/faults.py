"""Which device failed, so that it alone is made ready again."""

from collections.abc import Iterator
from contextlib import contextmanager

from glassline.errors import DeviceError
from hardware_ingest.devices import Camera, Illuminator, Stage

Device = Camera | Illuminator | Stage


class DeviceFault(DeviceError):
    """A device's error, with the device."""

    def __init__(self, device: Device, error: DeviceError) -> None:
        """Take the device and what it said."""
        super().__init__(str(error))
        self.device = device


@contextmanager
def blaming(device: Device) -> Iterator[None]:
    """Tie a device's error to the device.

    Raises:
        DeviceFault: The device raised an error inside.
    """
    try:
        yield
    except DeviceFault:
        raise
    except DeviceError as error:
        raise DeviceFault(device, error) from error
