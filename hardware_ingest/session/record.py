"""The session's file: what was set when a glass was begun, so that it goes on with the same or not at all."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from glassline.data.captures.meta import GLASS_ID, Kind
from glassline.data.storage import written_whole
from glassline.errors import DataError, SettingsError
from glassline.settings import Settings
from hardware_ingest.rig.settings import RigSettings


class Job(Settings):
    """Which glass is on the stage."""

    glass: str = Field(pattern=GLASS_ID, description="glass id")
    kind: Kind = Field("clean", description="clean, or marked by the inspector's pen")
    product: str = Field(min_length=1, description="product name")
    cycle: str = Field(min_length=1, description="product cycle")


def begin_or_resume(folder: Path, job: Job, rig: RigSettings) -> None:
    """Write the session's file, or check that the one there was begun with the same settings.

    Addresses, times and retries may differ: they do not change what is seen.

    Raises:
        SettingsError: Other settings; names those that differ.
        DataError: The file is damaged.
    """
    path = folder / f"{job.glass}-{job.kind}.session.json"
    wanted = {**job.model_dump(mode="json"), **rig.seen()}
    if not path.exists():
        with written_whole(path) as beside:
            beside.write_text(json.dumps({"sha256": _hash(wanted), "settings": wanted}, indent=1))
        return
    found = _read(path)
    if _hash(found) != _hash(wanted):
        differ = [name for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
        told = "; ".join(f"{name} was {found.get(name)!r:.80}, is {wanted.get(name)!r:.80}" for name in differ)
        raise SettingsError(
            f"{job.glass} ({job.kind}) must go on with the settings that it was begun with: {told}; give the same, or "
            "another --out"
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
        settings = content["settings"]
        if not isinstance(settings, dict) or content["sha256"] != _hash(settings):
            raise ValueError("its hash does not match")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} must be a session's file as it was written ({error}); choose another --out") from None
    return settings


def _hash(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
