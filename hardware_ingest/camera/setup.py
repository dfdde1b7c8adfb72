"""Write a camera's settings and read them back; a refused one is an error that tells what is accepted."""

from glassline.errors import DeviceError
from hardware_ingest.camera.protocol import CameraIO, Choice, Feature
from hardware_ingest.camera.settings import CameraSettings

#: What a camera may round: its own steps of exposure and gain.
_RELATIVE: dict[Feature, float] = {"exposure_us": 0.01}
_ABSOLUTE: dict[Feature, float] = {"exposure_us": 1.0, "gain_db": 0.1}


def set_up(io: CameraIO, settings: CameraSettings) -> None:
    """Write everything but the exposure.

    Raises:
        DeviceError: The camera refuses a setting.
    """
    _choose(io, settings, "pixel_format", settings.pixel_format)
    # The region must never reach over the sensor's edge, whatever it was before.
    io.write("x_px", 0)
    io.write("y_px", 0)
    features: tuple[Feature, ...] = ("width_px", "height_px", "x_px", "y_px", "gain_db", "packet_bytes")
    for feature in features:
        written(io, settings, feature, getattr(settings, feature))
    _choose(io, settings, "trigger_source", settings.trigger_source)


def written(io: CameraIO, settings: CameraSettings, feature: Feature, value: float) -> float:
    """Write a number and return it.

    Raises:
        DeviceError: The camera does not accept it, or reads back another one.
    """
    low, high = io.bounds(feature)
    if not low <= value <= high:
        raise DeviceError(
            f"{settings.name}: {feature} must be {low:g} to {high:g} for this camera, got {value:g}; mend it"
        )
    found = io.write(feature, value)
    if abs(found - value) > max(_ABSOLUTE.get(feature, 0), _RELATIVE.get(feature, 0) * value):
        raise DeviceError(
            f"{settings.name}: {feature} must read back as written, got {found:g} for {value:g}; choose another "
            f"value from {low:g} to {high:g}"
        )
    return value


def _choose(io: CameraIO, settings: CameraSettings, choice: Choice, value: str) -> None:
    offered = io.choices(choice)
    if value not in offered:
        raise DeviceError(
            f"{settings.name}: {choice} must be one of {', '.join(offered)} for this camera, got {value}; mend it"
        )
    found = io.choose(choice, value)
    if found != value:
        raise DeviceError(
            f"{settings.name}: {choice} must read back as written, got {found} for {value}; choose another"
        )
