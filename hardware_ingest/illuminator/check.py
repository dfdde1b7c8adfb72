"""Do the LED groups do as told? Frames with all groups off, and with each group alone, tell.

Every group alone lifts a frame's background over the dark level, by the light that the glass scatters anywhere. A
stuck group lifts the dark frame by as much, and then adds nothing when it is switched.
"""

import statistics
from collections.abc import Sequence

from glassline.errors import DeviceError
from hardware_ingest.illuminator.settings import LightsCheckSettings


def check_lights(name: str, dark: float, alone: Sequence[float], settings: LightsCheckSettings) -> list[float]:
    """Return by how much each group alone lifts the background over dark.

    Args:
        name: Name of the illuminator, for errors.
        dark: Background with all groups off, grey level.
        alone: Background with each group alone, in order.
        settings: Limits.

    Raises:
        DeviceError: A group is stuck on or dead, or there is stray light; names the group.
    """
    rises = [level - dark for level in alone]
    usual = statistics.median(rises)
    limit = max(settings.rise_min, settings.rise_min_ratio * usual)
    silent = [group for group, rise in enumerate(rises) if rise < limit]
    if dark > settings.dark_max and silent:
        raise DeviceError(
            f"{name}: {_groups(silent)} must be dark when switched off, but the background with all groups off is "
            f"{dark:.1f} (limit {settings.dark_max:g}) and switching there changes nothing; stuck on: repair the driver"
        )
    if dark > settings.dark_max:
        raise DeviceError(
            f"{name}: with all groups off the background must be <= {settings.dark_max:g}, got {dark:.1f}, and every "
            "group still switches: stray light; close the hood or raise lights_check.dark_max"
        )
    if len(silent) == len(rises):
        raise DeviceError(
            f"{name}: a group alone must lift the background by >= {limit:.1f}, but none does (at most "
            f"{max(rises):.1f}); check the ring's power, the lens cap and lights_check.exposure_us"
        )
    if silent:
        told = ", ".join(f"{rises[group]:.1f}" for group in silent)
        raise DeviceError(
            f"{name}: {_groups(silent)} must lift the background by >= {limit:.1f} when lit alone, got {told}; "
            "dead: replace the group or its cable"
        )
    return rises


def _groups(groups: Sequence[int]) -> str:
    """Name LED groups with their azimuths."""
    named = ", ".join(f"{group} ({30 * group} deg)" for group in groups)
    return f"LED group{'s' if len(groups) > 1 else ''} {named}"
