"""Inspect a glass: captures in, verdict and overlays out.

Shapes: S light states x H x W pixels.
"""

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from glassline.data.captures.meta import GLASS_ID, Kind, ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Frames
from glassline.data.storage import written_whole
from glassline.deploy.segmenter import Segmenter
from glassline.deploy.verdict import FoundScratch, Outcome, Verdict, ZoneVerdict
from glassline.errors import DataError, StorageError
from glassline.vision.exposure import check_exposed
from glassline.vision.scratches import find_scratches

#: File of a glass's folder.
VERDICT = "verdict.json"

Read = tuple[ZoneMeta, Frames] | DataError | StorageError


def inspect_glass(captures: Captures, glass: str, segmenter: Segmenter, out: Path, kind: Kind = "clean") -> Verdict:
    """Inspect the zones of a glass and write `OUT/GLASS/`: `verdict.json`, and a PNG per zone with scratches.

    The folder is written whole or not at all, and replaces that of an earlier inspection. A zone that cannot be trusted
    is refused, and its glass with it.

    Args:
        captures: Where the zones lie.
        glass: Glass id.
        segmenter: What finds scratches.
        out: Folder for the glass's folder.
        kind: Which of its zones.

    Returns:
        What was written.

    Raises:
        DataError: The glass id is none: it names the folder.
        StorageError: The folder may not be written, or something else stands there.
    """
    if not re.match(GLASS_ID, glass):
        raise DataError(f"a glass id must be letters, digits, `.`, `_` and `-`, got {glass!r}; check its name")
    _check_replaceable(out / glass)
    started = time.perf_counter()
    refs = captures.zones(glass, kind)
    unfinished = [ref for ref in captures.unfinished(glass) if ref.kind == kind]
    zones = [
        ZoneVerdict(zone=ref.zone, verdict="refused", reason=f"{ref.path} must be whole, got one without manifest; "
                    "wait for its upload to end, or copy it again")
        for ref in unfinished
    ]  # fmt: skip
    product, cycle = "", ""
    with written_whole(out / glass) as beside:
        beside.mkdir(parents=True)
        for ref, read in _ahead(captures, refs, segmenter):
            if isinstance(read, tuple):
                product, cycle = read[0].product, read[0].cycle
            zones.append(_inspect(ref, read, segmenter, beside))
        outcome, reason = _pooled(zones, captures, glass, kind)
        verdict = Verdict(
            glass=glass, product=product, cycle=cycle, inspected_utc=datetime.now(UTC), model=segmenter.model,
            bundle_sha256=segmenter.bundle_hash, runtime=segmenter.runtime, precision=segmenter.precision,
            thresholds=segmenter.find, verdict=outcome, reason=reason,
            zones=tuple(sorted(zones, key=lambda zone: zone.zone)), seconds=time.perf_counter() - started,
        )  # fmt: skip
        (beside / VERDICT).write_text(verdict.model_dump_json(indent=2))
    return verdict


def _check_replaceable(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / VERDICT).is_file():
        raise StorageError(
            f"{folder} must be free or hold the {VERDICT} of an earlier inspection, got a folder of something else; "
            "choose another --out"
        )


def _ahead(captures: Captures, refs: Sequence[ZoneRef], segmenter: Segmenter) -> Iterator[tuple[ZoneRef, Read]]:
    """Yield each zone as read; the next one is read meanwhile."""

    def read(ref: ZoneRef) -> Read:
        try:
            meta, frames_SHW = segmenter.read(captures, ref)
            check_exposed(frames_SHW, meta)
        except (DataError, StorageError) as error:
            return error
        return meta, frames_SHW

    with ThreadPoolExecutor(1, thread_name_prefix="ahead") as pool:
        coming = [pool.submit(read, ref) for ref in refs[:1]]
        for number, ref in enumerate(refs):
            now = coming.pop().result()
            coming += [pool.submit(read, following) for following in refs[number + 1 : number + 2]]
            yield ref, now


def _inspect(ref: ZoneRef, read: Read, segmenter: Segmenter, folder: Path) -> ZoneVerdict:
    """Return a zone's verdict; writes its overlay where there are scratches."""
    if not isinstance(read, tuple):
        return ZoneVerdict(zone=ref.zone, verdict="refused", reason=str(read))
    meta, frames_SHW = read
    scores = segmenter.score_frames(frames_SHW, meta.pitch_um)
    found = find_scratches(scores, segmenter.find)
    if not found:
        return ZoneVerdict(zone=ref.zone, verdict="good")
    from glassline.report.figures import save_figure
    from glassline.report.segmentation import hits_overlay
    from glassline.vision.bayer import grey_of_states

    name, find = f"{ref.kind}-{ref.zone:02d}.png", segmenter.find
    title = f"{ref.glass}, zone {ref.zone}: {len(found)} scratch{'es' * (len(found) > 1)}"
    grey_HW = grey_of_states(frames_SHW, meta.pattern)
    save_figure(hits_overlay(grey_HW, None, found, find.high, title, scores.score_hw, find.low), folder / name)
    scratches = tuple(FoundScratch.of(scratch, meta) for scratch in found)
    return ZoneVerdict(zone=ref.zone, verdict="defective", scratches=scratches, overlay=name)


def _pooled(zones: Sequence[ZoneVerdict], captures: Captures, glass: str, kind: Kind) -> tuple[Outcome, str]:
    """Return the verdict on a glass and why it is refused."""
    if not zones:
        return "refused", (
            f"glass {glass} must have at least one {kind} zone below {captures.location.url}, got none; check its name"
        )
    refused = [zone for zone in zones if zone.verdict == "refused"]
    if refused:
        more = f" (and {len(refused) - 1} zones more)" if len(refused) > 1 else ""
        return "refused", f"{refused[0].reason}{more}"
    return ("defective" if any(zone.verdict == "defective" for zone in zones) else "good"), ""
