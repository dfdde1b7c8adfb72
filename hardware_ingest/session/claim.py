"""One session at a time drives a rig: a second one would switch off the lights under which the first exposes."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from glassline.errors import DeviceError
from hardware_ingest.illuminator.settings import IlluminatorSettings


@contextmanager
def sole_session(illuminator: IlluminatorSettings) -> Iterator[None]:
    """Keep other sessions of this computer off a real ring of lights; a killed one's claim is gone with it.

    Stage and cameras let one program in at a time; Modbus/TCP lets in anybody.

    Raises:
        DeviceError: Another session has it.
    """
    if illuminator.kind == "simulated":
        yield
        return
    place = f"{illuminator.host}:{illuminator.port}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as claim:
        try:
            # A name of the kernel's own (it begins with a zero byte, and must be short): no file can be left behind.
            claim.bind(f"\0glassline-rig-{place[-80:]}")
        except OSError:
            raise DeviceError(
                f"a rig must have one session at a time, another one has the lights at {place}; wait for it or stop it"
            ) from None
        yield
