"""Frames of an existing rig: TIFF or PNG files, one a light state, and a YAML file of what they cannot tell.

FOLDER/G0001/clean-03/0.tif     glass, kind, zone and light state, as the pattern says
"""

import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from glassline.data.captures.chunks import Frames
from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.rig_meta import RigMeta
from glassline.data.captures.store import Captures
from glassline.data.captures.tiff import told_meta
from glassline.data.images import image_header, read_mosaic
from glassline.data.problems import Problems
from glassline.errors import DataError, SettingsError, StorageError

#: Names of files below the folder, without suffix.
PATTERN = "{glass}/{kind}-{zone}/{state}"

SUFFIXES = (".tif", ".tiff", ".png")

_PARTS = {"glass": r"[A-Za-z0-9][A-Za-z0-9._-]*?", "kind": "clean|marked", "zone": r"\d+", "state": r"\d+"}


@dataclass(frozen=True)
class RigZone:
    """One zone of the folder.

    Attributes:
        meta: How it was taken.
        files: One a light state, in order.
    """

    meta: ZoneMeta
    files: tuple[Path, ...]

    def frames(self) -> Frames:
        """Read the frames (S, H, W).

        Raises:
            DataError: A file cannot be read; names it.
        """
        return np.stack([read_mosaic(path) for path in self.files])


def read_rig_folder(folder: Path, told: RigMeta, pattern: str = PATTERN) -> list[RigZone]:
    """Find the zones of a folder and check everything but the pixels.

    Args:
        folder: Holds TIFF or PNG files.
        told: What the files do not.
        pattern: Names of the files without suffix: {glass}, {zone}, {state} and, where `told` has none, {kind}.

    Returns:
        Zones sorted by name.

    Raises:
        DataError: A record is bad; names every bad file or zone, with rule and remedy.
        SettingsError: The pattern lacks a part.
        StorageError: There is no such folder.
    """
    if not folder.is_dir():
        raise StorageError(f"a rig's frames must be in an existing folder, got {folder}; check the path")
    problems = Problems(folder)
    files = _by_zone(folder, _regex(pattern, told.kind), told.kind, problems)
    zones = [_zone(ref, files[ref], told, problems) for ref in sorted(files)]
    problems.raise_if_any()
    if not zones:
        raise DataError(f"{folder} must hold {', '.join(SUFFIXES)} files named {pattern}, got none; check --pattern")
    return [zone for zone in zones if zone]


def import_rig_folder(
    zones: list[RigZone], captures: Captures, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Write the zones that are not there yet, so that an import that was stopped goes on.

    Returns:
        Number of zones written.

    Raises:
        DataError: A file cannot be read, a pixel has too many bits, or a zone is there with another content.
        StorageError: The disk is full, or the place does not answer.
    """
    written = 0
    for number, zone in enumerate(zones, 1):
        frames_SHW, ref = zone.frames(), zone.meta.ref
        if ref not in captures:
            captures.write(zone.meta, frames_SHW)
            written += 1
        elif captures.meta(ref) != zone.meta or not np.array_equal(captures.read(ref), frames_SHW):
            raise DataError(
                f"{zone.files[0].parent}: {ref.path} must be new or the same as before, got another content in "
                f"{captures.location.url}; choose another --out or glass id"
            )
        progress(number, len(zones))
    return written


def _regex(pattern: str, kind: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", pattern)
    names = sorted(parts[1::2])
    if names != sorted(_PARTS) and not (kind and names == sorted(_PARTS.keys() - {"kind"})):
        raise SettingsError(
            f"--pattern must have {{glass}}, {{zone}}, {{state}} and, unless --meta tells it, {{kind}}, once each, got "
            f"{pattern!r}; the default is {PATTERN}"
        )
    # Odd parts are names, even ones stand as they are.
    made = [f"(?P<{part}>{_PARTS[part]})" if place % 2 else re.escape(part) for place, part in enumerate(parts)]
    return re.compile("".join(made))


def _by_zone(folder: Path, regex: re.Pattern[str], kind: str, problems: Problems) -> dict[ZoneRef, dict[int, Path]]:
    found: dict[ZoneRef, dict[int, Path]] = defaultdict(dict)
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        match = regex.fullmatch(name[: -len(path.suffix)])
        if not match:
            problems.add(name, "a file must be named by the pattern; rename it, move it away or mend --pattern")
            continue
        parts = match.groupdict()
        ref = ZoneRef(parts["glass"], "marked" if parts.get("kind", kind) == "marked" else "clean", int(parts["zone"]))
        state = int(parts["state"])
        if state in found[ref]:
            problems.add(name, f"a light state must have one file, got {found[ref][state].name} too; remove one")
        found[ref][state] = path
    return found


def _zone(ref: ZoneRef, files: dict[int, Path], told: RigMeta, problems: Problems) -> RigZone | None:
    states = sorted(files)
    paths = tuple(files[state] for state in states)
    try:
        meta = told_meta(paths[0]) or told.of(ref, paths[0])
        headers = [image_header(path) for path in paths]
    except DataError as error:
        problems.add(ref.path, str(error))
        return None
    if meta.ref != ref:
        problems.add(ref.path, f"{paths[0]} must be a file of this zone, got one of {meta.ref.path}; move it back")
    if states != list(range(states[0], states[0] + len(meta.azimuths_deg))):
        problems.add(
            ref.path, f"light states must be numbered one by one, {len(meta.azimuths_deg)} as azimuths_deg tells, "
            f"got {states}; add the missing file or mend azimuths_deg",
        )  # fmt: skip
    for path, (width_px, height_px, bits) in zip(paths, headers, strict=True):
        if (width_px, height_px) != headers[0][:2]:
            problems.add(
                path, f"frames of a zone must be of one size, got {width_px} x {height_px} px beside "
                f"{headers[0][0]} x {headers[0][1]} px; export them again",
            )  # fmt: skip
        if meta.bit_depth > 8 >= bits:
            problems.add(path, f"a frame of {meta.bit_depth} bit must be in a file of 16, got 8; mend bit_depth")
    return RigZone(meta, paths)
