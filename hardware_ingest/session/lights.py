"""The lights at the start of a session, and whether a state's light fades later on.

Shapes: S light states x H x W pixels.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from glassline.data.captures.store import Frames
from glassline.errors import DeviceError
from hardware_ingest.devices import LED_GROUPS, Frame
from hardware_ingest.illuminator.check import check_lights
from hardware_ingest.rig.settings import RigSettings

Look = Callable[[Sequence[int], float], list[Frame]]

#: A light state may be this faint against the others of its zone; half is one group out of two.
FADED = 0.75

#: All states of a zone may be this faint against the check; what the glass scatters differs from place to place.
ALL_FADED = 0.2

#: A background fainter than this drowns in noise and tells nothing, grey levels over dark.
FAINT = 2.0


class LightsWatch:
    """What each light state's background should be, per camera."""

    def __init__(
        self, name: str, dark: Mapping[float, Sequence[float]], rises: Sequence[Sequence[float]], settings: RigSettings
    ) -> None:
        """Take what the check found.

        Args:
            name: Name of the illuminator, for errors.
            dark: Per exposure of a light state and camera, background with all groups off.
            rises: Per camera and group, by how much the group alone lifts the background.
            settings: The rig.
        """
        self._name, self._dark, self._rises, self._settings = name, dark, rises, settings

    def check(self, camera: int, frames_SHW: Frames) -> None:
        """Compare the backgrounds of a zone's light states with what their groups gave at the check.

        Raises:
            DeviceError: A state, or all, have faded; names the groups.
        """
        scale = 1 / self._settings.lights_check.exposure_us
        shares = []
        for state, frame_HW in zip(self._settings.light_states, frames_SHW, strict=True):
            expected = scale * state.exposure_us * sum(self._rises[camera][group] for group in state.groups)
            if expected < FAINT:
                return
            shares.append((background(frame_HW) - self._dark[state.exposure_us][camera]) / expected)
        usual, name = statistics.median(shares), _seen_by(self._name, self._settings, camera)
        if usual < ALL_FADED:
            raise DeviceError(
                f"{name}: the light must be >= {ALL_FADED:.0%} of what it was at the check, got {usual:.0%} over "
                "all light states; check the ring's power"
            )
        for state, share in zip(self._settings.light_states, shares, strict=True):
            if share < FADED * usual:
                raise DeviceError(
                    f"{name}: LED groups {state.groups[0]} and {state.groups[1]} must be >= {FADED:.0%} as "
                    f"bright as the others, got {share / usual:.0%}; one has gone dark: replace it or its cable"
                )


def watch_lights(name: str, look: Look, settings: RigSettings) -> LightsWatch:
    """Look at the glass with all groups off and with each alone, and return what to expect.

    Args:
        name: Name of the illuminator, for errors.
        look: Takes one frame per camera with the given groups lit, at an exposure in us.
        settings: The rig.

    Raises:
        DeviceError: A group is stuck or dead, or there is stray light; names the group.
    """
    limits = settings.lights_check

    def levels(groups: Sequence[int], exposure_us: float) -> list[float]:
        return [background(frame_HW) for frame_HW in look(groups, exposure_us)]

    dark = levels((), limits.exposure_us)
    alone = zip(*(levels((group,), limits.exposure_us) for group in range(LED_GROUPS)), strict=True)
    rises = [
        check_lights(_seen_by(name, settings, camera), dark[camera], lit, limits) for camera, lit in enumerate(alone)
    ]
    # Stray light grows with the exposure, so that each has a dark level of its own.
    exposures_us = {state.exposure_us for state in settings.light_states}
    return LightsWatch(name, {exposure_us: levels((), exposure_us) for exposure_us in exposures_us}, rises, settings)


def background(frame_HW: Frame) -> float:
    """Return the mean of the darker half of a sample of the pixels: dust and scratches lie in the other."""
    # An odd step meets all four colours of a mosaic alike.
    sample = np.sort(frame_HW[::7, ::7], axis=None)
    return float(sample[: (sample.size + 1) // 2].mean())


def _seen_by(name: str, settings: RigSettings, camera: int) -> str:
    """Name the lights, and the camera where there are several: it may be the one with its cap on."""
    return f"{name}, seen by {settings.camera(camera).name}" if len(settings.cameras) > 1 else name
