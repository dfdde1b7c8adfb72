"""Look for what the line does to every glass; raise an alarm where a mark repeats."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.analysis.root_cause import ViewResult
from glassline.analysis.root_cause import find_root_cause as search
from glassline.data.captures.store import open_captures
from glassline.data.storage import written_whole
from glassline.data.store import place_hash
from glassline.errors import DataError
from glassline.tracking import parent_tags, step_run
from glassline.vision.repeating_marks import RootCauseSettings
from glassline.vision.views import holds_captures

#: Tag of a run: whether a mark repeats.
ALARM = "glassline.alarm"


def find_root_cause(
    images: str, content_hash: str, reference: str, root_cause: Mapping[str, Any], findings_path: str
) -> str:
    """Look for repeating marks in every view, and return `yes` when there is one, else `no`.

    The step's run and the pipeline's own carry the answer as tag `glassline.alarm`.

    Args:
        images: Folder or S3 URL of images, of one folder per view, or of captures.
        content_hash: Hash of images and reference at submission; "" where it is not known.
        reference: The same views of good glasses; "" when there are none.
        root_cause: Fields of `RootCauseSettings`.
        findings_path: Folder for `root_cause.json`, `findings.csv` and a picture per finding.

    Raises:
        DataError: The content is not that of the hash, a view has fewer images than a window, or one cannot be read.
    """
    from glassline.report.root_cause import findings_table, write_result

    with step_run("find_root_cause", {"images": images, "reference": reference, "root_cause": dict(root_cause)}) as run:
        settings = RootCauseSettings.parse(root_cause)
        if content_hash and (found := content_hash_of(images, reference)) != content_hash:
            raise DataError(f"{images} must be as it was at submission, {content_hash}, got {found}; submit again")
        results = search(images, settings, reference or None, lambda line: print(line, flush=True))
        with written_whole(findings_path) as beside:
            pictures = write_result(results, settings, beside)
        table = findings_table(results)
        if len(table):
            run.table(table, "findings")
        for picture in pictures:
            run.artifact(Path(findings_path) / picture.name, "figures")
        alarm = "yes" if len(table) else "no"
        metrics = {
            "findings": len(table), "images": sum(len(result.names) for result in results),
            "windows": sum(result.windows for result in results), "views": len(results),
            "images_moved": sum(result.moved for result in results),
        }  # fmt: skip
        run.metrics(metrics)
        run.tags({ALARM: alarm})
        parent_tags({ALARM: alarm}, {"findings": len(table)})
        for line in _notes(results):
            run.note(line)
        return alarm


def content_hash_of(images: str, reference: str) -> str:
    """Return the content hash of images and, joined by `+`, of the reference where there is one."""
    return "+".join(_hash(place) for place in (images, reference) if place)


def _hash(place: str) -> str:
    return open_captures(place).content_hash() if holds_captures(place) else place_hash(place)


def _notes(results: list[ViewResult]) -> list[str]:
    """Say what repeats, a line each."""
    return [
        f"{result.view}: the same mark at {mark.bbox_px} on {len(mark.images)} of {len(result.names)} images since "
        f"{result.names[mark.images[0] if mark.images else mark.window[0]]}"
        for result in results
        for mark in result.marks
    ]
