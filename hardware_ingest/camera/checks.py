"""Whether what arrived is the frame that was asked for."""

from glassline.errors import DeviceError
from hardware_ingest.camera.settings import CameraSettings
from hardware_ingest.devices import Frame

#: GigE Vision numbers frames in 16 bits and leaves out 0.
_LAST_ID = 65_535


def check_turn(name: str, frame_id: int, last_id: int) -> None:
    """Refuse a frame that does not follow the last one.

    Args:
        name: The camera's name.
        frame_id: Number of the frame.
        last_id: Number of the frame before it; 0 where that is not known.

    Raises:
        DeviceError: A frame is missing in between, or came twice.
    """
    after = {last_id + 1, 1} if last_id == _LAST_ID else {last_id + 1}
    if last_id and frame_id not in after:
        raise DeviceError(
            f"{name} must send frames in turn, got {frame_id} after {last_id}; try again, and look for a second "
            "trigger if it stays"
        )


def following(last_id: int) -> int:
    """Return the number of a frame that lost its own; 0 where that is not known."""
    return last_id + 1 if last_id not in (0, _LAST_ID) else 0


def check_exposure(settings: CameraSettings, started_ns: int, exposure_us: float, fired_ns: int, free_ns: int) -> None:
    """Refuse an exposure outside the time in which the lights were held.

    Args:
        settings: The camera's; nothing is checked unless its clock is ours.
        started_ns: When the exposure began.
        exposure_us: How long it took.
        fired_ns: When the trigger was sent.
        free_ns: When the lights became free to change.

    Raises:
        DeviceError: It began before its trigger, or ended late.
    """
    if not settings.clock_synchronised:
        return
    if started_ns < fired_ns:
        told = f"it began {(fired_ns - started_ns) / 1000:.0f} us before"
    elif (late_us := (started_ns - free_ns) / 1000 + exposure_us) > 0:
        told = f"it ended {late_us:.0f} us late"
    else:
        return
    raise DeviceError(
        f"{settings.name} must expose between trigger and change of lights, {told}; try again, and raise "
        f"trigger_latency_us ({settings.trigger_latency_us:g}) if it stays"
    )


def check_bits(settings: CameraSettings, frame_HW: Frame) -> None:
    """Refuse a frame with more bits than stated.

    Raises:
        DeviceError: A pixel is brighter than the bit depth can tell.
    """
    brightest = int(frame_HW.max())
    if brightest >> settings.bit_depth:
        raise DeviceError(
            f"{settings.name} must send pixels of {settings.bit_depth} bits, got {brightest}; mend significant_bits, "
            "or have the camera send its bits right-aligned"
        )
