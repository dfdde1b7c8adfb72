"""Merge inspectors' boxes with the current model's masks into labels of the clean captures."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from glassline.analysis.agreement import PAIRS, Unit, agreement, unit_table, zone_units
from glassline.data.annotations.zones import Inspection, ZoneBoxes, read_inspection
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.captures.zone_list import read_zone_list
from glassline.data.labels import CONTROL, Labels, ZoneLabels
from glassline.data.problems import Problems
from glassline.data.store import check_unchanged, fetched, place_hash
from glassline.tracking import StepRun, parent_tags, step_run
from glassline.vision.current_model import current_model
from glassline.vision.zone_merge import MergeSettings, ZoneMerge, merge_zone

_OVERLAYS = 12  # zones drawn


def merge_labels(
    zones: str, annotations: str, annotations_sha256: str, annotations_format: str, model: str,
    merge: Mapping[str, Any], labels_path: str,
) -> str:  # fmt: skip
    """Merge the boxes of an annotation file into a label file and return its content hash.

    Args:
        zones: Where `ingest_captures` listed them; boxes may also lie on zones of earlier sessions.
        annotations: Annotation file, a folder for voc; a path or an S3 URL.
        annotations_sha256: Hash of the annotations when the run was submitted; "" skips the comparison.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model, or path or S3 URL of its bundle.
        merge: Fields of `MergeSettings`.
        labels_path: Where the label file goes.

    Raises:
        DataError: Zones or annotations changed, a record breaks a rule, or a zone moved too far and `merge.refused`
            is `fail`; names glass and zone.
        SettingsError: Model or a setting is unknown.
    """
    params = {"annotations": annotations, "annotations_format": annotations_format}
    with step_run("merge_labels", {**params, "model": model, "merge": dict(merge)}) as run:
        settings = MergeSettings.parse(merge)
        opened, refs = read_zone_list(zones)
        check_unchanged(annotations, annotations_sha256, lambda: place_hash(annotations), "labelling")
        with fetched(annotations, "annotations", ".xml") as file:
            inspection = read_inspection(file, annotations_format, opened, settings.classes)
        tally, segmenter = _Tally(run, settings), current_model(model)
        for done, zone in enumerate(inspection.zones, start=1):
            tally.add(zone, merge_zone(opened, zone, segmenter, settings))
            run.progress(done, len(inspection.zones), "zones")
        tally.raise_if_refused(opened.location.url)
        labels = _labels(opened, tally.zones, inspection)
        labels.write(labels_path)
        content = labels.content_hash()
        run.params({"content_hash": content})
        _log(run, tally, inspection, refs)
        return content


class _Tally:
    """What came of the zones so far."""

    def __init__(self, run: StepRun, settings: MergeSettings) -> None:
        self._run, self._settings = run, settings
        self._drawn = 0
        self.zones: list[ZoneLabels] = []
        self.units: list[Unit] = []
        self.refused: list[tuple[str, str]] = []
        self.outside: list[tuple[str, str]] = []
        self.shifts: list[dict[str, Any]] = []

    def add(self, zone: ZoneBoxes, merged: ZoneMerge | str) -> None:
        name = zone.drawn_on.image_name
        if isinstance(merged, str):
            self.refused.append((name, merged))
            return
        self.zones.append(merged.labels)
        self.units += zone_units(name, merged.objects, merged.found)
        self.outside += [(name, f"{box.label} at {list(box.bbox)}") for box in merged.outside]
        if merged.shift is not None:
            shift = merged.shift
            self.shifts.append({"zone": name, "x_px": shift.x_px, "y_px": shift.y_px, "response": shift.response})
        if merged.objects and self._drawn < _OVERLAYS:
            self._draw(name, merged)

    def raise_if_refused(self, captures: str) -> None:
        """Raise unless zones may be left out.

        Raises:
            DataError: A zone was refused.
        """
        if self._settings.refused == "fail" or not self.zones:
            problems = Problems(captures, "labelled")
            for name, why in self.refused:
                problems.add(name, why)
            problems.raise_if_any()

    def _draw(self, name: str, merged: ZoneMerge) -> None:
        from glassline.report.merged import merged_overlay

        figure = merged_overlay(merged.grey_HW, merged.found.mask_HW, merged.objects, name)
        self._run.figure(figure, f"merged_{name}")
        self._drawn += 1


def _labels(captures: Captures, zones: Sequence[ZoneLabels], inspection: Inspection) -> Labels:
    return Labels(
        captures=captures.location.url,
        captures_hash=captures.content_hash([zone.ref for zone in zones]),
        classes=(*inspection.classes, CONTROL),
        zones=tuple(zones),
    )


def _log(run: StepRun, tally: _Tally, inspection: Inspection, refs: Sequence[ZoneRef]) -> None:
    units = unit_table(tally.units)
    rows = agreement(units, inspection.classes)
    run.table(rows, "agreement")
    run.table(units[units["inspector"]], "boxes")
    for row in rows.to_dict("records"):
        numbers = {name: float(row[name]) for name in ("kappa", *(f"iou_{pair}" for pair in PAIRS))}
        known = {f"{name}_{row['class']}": value for name, value in numbers.items() if value == value}
        run.metrics(known)
        parent_tags({}, known)
    boxes = int(units["inspector"].sum())
    listed = {zone.clean for zone in inspection.zones}
    not_looked_at = len({ref for ref in refs if ref.kind == "clean"} - listed)
    run.metrics(
        {
            "zones": len(tally.zones), "zones_refused": len(tally.refused), "zones_not_looked_at": not_looked_at,
            "boxes": boxes, "boxes_by_model": int((units["by"] == "model").sum()), "boxes_outside": len(tally.outside),
            "boxes_contested": int((~units["status"].isin(["", "confirmed"])).sum()),
        }
    )  # fmt: skip
    if tally.shifts:
        shifts = pd.DataFrame(tally.shifts)
        run.table(shifts, "shifts")
        run.metrics({"shift_px_max": float((shifts["x_px"] ** 2 + shifts["y_px"] ** 2).max() ** 0.5)})
    if not_looked_at:
        run.note(f"{not_looked_at} clean zones are not in the annotations and get no labels")
    for name, why in tally.refused:
        run.note(f"{name} gets no labels: {why}")
    for name, what in tally.outside:
        run.note(f"{name}: the box {what} lies beside the clean zone and is left out")
