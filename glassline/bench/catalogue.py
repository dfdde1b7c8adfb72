"""Every table and figure of the five papers, by name."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from glassline.bench.entry import SYSTEMS, Entry
from glassline.data.location import open_location
from glassline.errors import DataError, SettingsError

_ENTRIES = Path(__file__).parent / "entries"


@cache
def catalogue() -> dict[str, Entry]:
    """Return all entries by id, in the order of the papers."""
    rows = [row for system in SYSTEMS for row in yaml.safe_load((_ENTRIES / f"{system.lower()}.yaml").read_text())]
    return {str(row["id"]): Entry.parse(row) for row in rows}


def find_entry(name: str) -> Entry:
    """Return an entry by id.

    Raises:
        SettingsError: No entry has it; names those of the same system.
    """
    if name not in catalogue():
        near = [one for one in catalogue() if one[:2] == name[:2].lower()] or list(catalogue())
        raise SettingsError(
            f"--entry must be one of {', '.join(near)}, got {name!r}; `glassline bench --list` lists all"
        )
    return catalogue()[name]


def select(ids: Sequence[str] = (), systems: Sequence[str] = ()) -> list[Entry]:
    """Return the entries that can be measured here: those named, or all, or all of some systems.

    Raises:
        SettingsError: A name is unknown, or an entry named is measured by a script, or not at all.
    """
    unknown = [name for name in systems if name.upper() not in SYSTEMS]
    if unknown:
        raise SettingsError(f"--system must be one of {', '.join(SYSTEMS)}, got {unknown[0]!r}; choose one of them")
    for entry in map(find_entry, ids):
        if not entry.measure:
            other = f"run `{entry.script}`" if entry.script else f"see what stands in: {entry.stands_in}"
            raise SettingsError(f"--entry must name what is measured by a function, got {entry.id!r}; {other}")
    wanted = {name.upper() for name in systems}
    return [
        entry
        for entry in catalogue().values()
        if entry.measure and (entry.id in ids or (not ids and (not wanted or entry.system in wanted)))
    ]


def place_of(entry: Entry, places: Sequence[str]) -> str:
    """Return where the data of an entry lies, "" for an entry without.

    Args:
        entry: The entry.
        places: Folders or S3 URLs with data sets below them; the first that has it counts.

    Raises:
        DataError: None of them has it.
    """
    if not entry.data:
        return ""
    for place in places:
        if entry.data in sets_below(place):
            return f"{place.rstrip('/')}/{entry.data}"
    told = ", ".join(place for place in places if place) or "nothing"
    raise DataError(f"{entry.id} needs the data set {entry.data!r} below --data, got {told}; {entry.obtained}")


def sets_below(place: str) -> set[str]:
    """Return the names of the folders below a folder or S3 URL; none where nothing is there."""
    if not place:
        return set()
    if "://" not in place:
        root = Path(place)
        return {one.name for one in root.iterdir() if one.is_dir()} if root.is_dir() else set()
    return {one.name.split("/")[0] for one in open_location(place).entries() if "/" in one.name}
