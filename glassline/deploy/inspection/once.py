"""Judge what is there, once; what may still be on its way comes last, when it has stayed the same."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from glassline.deploy.inspection.run import Inspection, Told
from glassline.deploy.inspection.units import BrokenUnit, ImageUnit, Unit
from glassline.deploy.inspection.watch import PATIENCE_S, POLL_S

#: An image that still changes after so many times the patience is refused: it may change for ever.
_TIMES = 6


def judge_once(
    inspection: Inspection, units: Iterable[Unit], tell: Callable[[str], None], patience_s: float = PATIENCE_S,
    poll_s: float = POLL_S,
) -> Iterator[Told]:  # fmt: skip
    """Yield what became of each unit.

    A BMP, TIFF or .npy that was changed within `patience_s` may be half written, laid out at its full
    size: it is judged after the others, once it has stayed the same for so long. One that never does is refused.

    Args:
        inspection: What judges.
        units: What there is.
        tell: Called with what to tell the user, one line.
        patience_s: Seconds for which a slow copy may pause.
        poll_s: Seconds between two looks at what is waited for.

    Raises:
        StorageError: A verdict could not be written.
    """
    #: How each image that is waited for looks, and since when.
    late: dict[ImageUnit, tuple[Any, float]] = {}
    yield from inspection.judge(_finished(units, late, patience_s))
    if late:
        many = "1 image" if len(late) == 1 else f"{len(late)} images"
        tell(f"{many} may still be written: judged after {patience_s:g} seconds without a change")
    end = time.monotonic() + _TIMES * patience_s
    while late:
        yield from inspection.judge(_still(late, patience_s))
        if time.monotonic() > end:
            yield from inspection.judge([_never_still(unit, patience_s) for unit in late])
            return
        if late and inspection.stop.wait(poll_s):
            return


def _finished(units: Iterable[Unit], late: dict[ImageUnit, tuple[Any, float]], patience_s: float) -> Iterator[Unit]:
    """Yield units that may be judged now, and note the others."""
    for unit in units:
        if isinstance(unit, ImageUnit) and unit.age_s() < patience_s and unit.is_endless():
            late[unit] = unit.signature(), time.monotonic()
        else:
            yield unit


def _still(late: dict[ImageUnit, tuple[Any, float]], patience_s: float) -> Iterator[Unit]:
    """Yield, and forget, what has stayed the same until it is asked for; note how the others look."""
    for unit, (look, since) in list(late.items()):
        seen, now = unit.signature(), time.monotonic()
        if seen != look:
            late[unit] = seen, now
        elif now - since >= patience_s:
            del late[unit]
            yield unit


def _never_still(unit: ImageUnit, patience_s: float) -> BrokenUnit:
    reason = (
        f"{unit.name} must stay as it is for {patience_s:g} seconds, it still changes after "
        f"{_TIMES * patience_s:g}; wait until it is written, or use --watch"
    )
    return BrokenUnit(unit.name, reason, unit.identity)
