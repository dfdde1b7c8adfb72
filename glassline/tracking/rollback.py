"""Give a product back the champion before this one."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from glassline.deploy.bundle import load_bundle
from glassline.errors import ModelError, TrackingError
from glassline.tracking.champion import PREVIOUS, Champion, champion_bundle, find_champion
from glassline.tracking.lock import promotion_lock
from glassline.tracking.registry import find_version, move_champion, registered_names, tag_version

#: Tags of the version that was the champion: what it was rolled back to, and when.
ROLLED_BACK_TO, ROLLED_BACK_AT = "rolled_back_to", "rolled_back_at"


@dataclass(frozen=True)
class Rollback:
    """What a rollback did: the champion before it, and the one that stands now."""

    before: Champion
    now: Champion


def roll_back(name: str) -> Rollback:
    """Move the champion of a registered model back to the version that it took over from.

    That version's bundle is fetched and checked first. The move is one act: there is a champion before, during and
    after. The version that goes is tagged with what it went for; the one that comes keeps its own `previous_champion`,
    so a second rollback goes further back.

    Args:
        name: Registered model, `glassline-PRODUCT`.

    Raises:
        TrackingError: There is no such model, no champion or none before it, or the registry does not answer.
        ModelError: The bundle of the one before may not be trusted; the champion stays.
    """
    with promotion_lock(name, f"rollback-{uuid4().hex}"):
        before = find_champion(name)
        if before is None:
            raise TrackingError(_no_champion(name))
        now = _previous(before)
        with tempfile.TemporaryDirectory() as folder:
            try:
                load_bundle(champion_bundle(now, Path(folder)))
            except ModelError as error:
                raise ModelError(
                    f"version {now.version} of {name} must have a whole bundle to become champion again, got: {error}; "
                    f"version {before.version} stays"
                ) from error
        at = datetime.now(UTC).isoformat(timespec="seconds")
        tag_version(name, before.version, {ROLLED_BACK_TO: now.version, ROLLED_BACK_AT: at})
        move_champion(name, now.version)
        return Rollback(before, now)


def _previous(champion: Champion) -> Champion:
    version = champion.tags.get(PREVIOUS, "")
    found = find_version(champion.name, version) if version else None
    if found is None:
        got = f"version {version}, which is gone" if version else "none"
        raise TrackingError(
            f"version {champion.version} of {champion.name} must have taken over from another to go back to, "
            f"got {got}; it stays; run a cycle, or move the alias in MLflow"
        )
    return found


def _no_champion(name: str) -> str:
    """Say which of both it is: a model without champion, or a name that nobody registered."""
    known = [one for one in registered_names("glassline-") if find_champion(one)]
    if name in registered_names("glassline-"):
        return f"{name} must have a champion to roll back, got none; run a cycle first"
    told = ", ".join(one.removeprefix("glassline-") for one in known) or "none"
    product = name.removeprefix("glassline-")
    return f"a product must be one with a champion, got {product!r}; those are: {told}"
