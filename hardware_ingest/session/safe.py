"""Devices are left safe, whatever happens to any of them: lights off, stage still, cameras stopped."""

from collections.abc import Callable, Sequence

from glassline.errors import DeviceError, GlasslineError


class SessionStopped(GlasslineError):
    """Somebody stopped the session; it is safe and can go on."""


def make_safe(stops: Sequence[Callable[[], None]]) -> DeviceError | None:
    """Call all, in order, whatever any of them raises.

    Returns:
        One error that tells all of theirs; None when there was none.
    """
    problems = []
    for stop in stops:
        try:
            stop()
        # Our own bug in one of them must not leave the others on.
        except Exception as error:
            problems.append(str(error) if isinstance(error, DeviceError) else repr(error))
    return DeviceError("; ".join(problems)) if problems else None
