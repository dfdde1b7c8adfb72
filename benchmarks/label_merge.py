"""How good are labels merged from an inspector's boxes and the current model, on simulated glass?

    python benchmarks/label_merge.py --glasses 50 --seed 0

Per preset: intersection over union of the final masks with the truth (over zones with defects, and over boxes),
boxes lost, the error of the measured shift, agreement of inspector and model, and how many of the marked
captures that were taken again beside their place are refused. Goals: median over zones >= 0.85, no box lost,
every displaced capture refused. Nothing was chosen on the preset `unseen`, nor on these seeds.
"""

import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from pycocotools import mask as coco_mask

from glassline.analysis.agreement import Unit, agreement, unit_table, zone_units
from glassline.data.annotations.zones import ZoneBoxes, read_inspection
from glassline.data.captures.store import Captures, open_captures
from glassline.data.labels import LabelledObject, ZoneLabels, read_labels
from glassline.report.figures import save_figure
from glassline.report.merged import merged_overlay
from glassline.vision.current_model import CurrentModel, current_model
from glassline.vision.light_states import respond
from glassline.vision.shift import measure_shift
from glassline.vision.zone_merge import MergeSettings, ZoneMerge, merge_zone, wrong_shift
from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses
from hardware_ingest.zones import Zone

SETTINGS = MergeSettings()
#: How far the displaced captures lie from their place, over the tolerance.
DISPLACED = (1.2, 4.0)


@dataclass
class Tally:
    """What came out over all zones of a preset."""

    zones: list[float] = field(default_factory=list)
    boxes: dict[str, list[float]] = field(default_factory=dict)
    units: list[Unit] = field(default_factory=list)
    shift_errors_px: list[float] = field(default_factory=list)
    lost: int = 0
    refused: int = 0
    displaced_refused: list[bool] = field(default_factory=list)
    seconds: float = 0.0


def _mask(item: LabelledObject) -> np.ndarray:
    runs = item.segmentation
    return coco_mask.decode({"size": runs["size"], "counts": runs["counts"].encode()}) > 0


def _iou(one_HW: np.ndarray, other_HW: np.ndarray) -> float:
    return float((one_HW & other_HW).sum() / max((one_HW | other_HW).sum(), 1))


def _compare(tally: Tally, zone: ZoneBoxes, merged: ZoneMerge, truth: ZoneLabels) -> None:
    """Compare one zone's final masks with what is true of it."""
    true = [(item.label, _mask(item)) for item in truth.objects]
    final = [(item.drawn.label, item.whole_mask(merged.grey_HW.shape)) for item in merged.objects]
    tally.lost += len(zone.boxes) - len(merged.outside) - sum(bool(mask_HW.any()) for _, mask_HW in final)
    if true and final:
        tally.zones.append(_iou(np.any([m for _, m in true], axis=0), np.any([m for _, m in final], axis=0)))
    for label, mask_HW in final:
        best = max((_iou(mask_HW, true_HW) for name, true_HW in true if name == label), default=0.0)
        tally.boxes.setdefault(label, []).append(best)
    tally.units += zone_units(zone.drawn_on.image_name, merged.objects, merged.found)


def _is_refused(captures: Captures, zone: ZoneBoxes, glasses: GlassSetSettings, rng: np.random.Generator) -> bool:
    """Take the marked zone again beside its place, and return whether the merge would refuse it."""
    meta = captures.meta(zone.clean)
    direction, far_mm = rng.uniform(0, 2 * np.pi), rng.uniform(*DISPLACED) * SETTINGS.shift.tolerance_um / 1000
    scene = glasses.scene(int(zone.clean.glass[1:]), "marked")
    x_mm, y_mm = meta.stage_x_mm + far_mm * np.cos(direction), meta.stage_y_mm + far_mm * np.sin(direction)
    _, displaced_SHW = scene.capture(Zone(zone.clean.zone, x_mm, y_mm))
    strengths = [
        respond(frames_SHW, meta.pattern, meta.azimuths_deg).strength_HW
        for frames_SHW in (captures.read(zone.clean), displaced_SHW)
    ]
    shift = measure_shift(*strengths, meta.pitch_um, SETTINGS.shift)
    return bool(wrong_shift(shift, meta.pitch_um, SETTINGS.shift))


def _run(glasses: GlassSetSettings, folder: Path, model: CurrentModel, overlays: Path | None, most: int) -> Tally:
    simulate_glasses(glasses, folder)
    captures, tally, rng = open_captures(folder / "captures"), Tally(), np.random.default_rng(glasses.seed)
    truths = {zone.ref: zone for zone in read_labels(folder / "truth.json").zones}
    jitter_um = json.loads((folder / "simulation.json").read_text())["jitter_um"]
    for zone in read_inspection(folder / "annotations.json", "coco", captures).zones:
        start = time.perf_counter()
        merged = merge_zone(captures, zone, model, SETTINGS)
        tally.seconds += time.perf_counter() - start
        if isinstance(merged, str):
            tally.refused += 1
            continue
        _compare(tally, zone, merged, truths[zone.clean])
        if merged.shift is not None:
            moved_um = np.subtract(jitter_um[zone.clean.image_name], jitter_um[zone.drawn_on.image_name])
            true_px = moved_um / captures.meta(zone.clean).pitch_um
            error = np.hypot(merged.shift.x_px - true_px[0], merged.shift.y_px - true_px[1])
            tally.shift_errors_px.append(float(error))
            tally.displaced_refused.append(_is_refused(captures, zone, glasses, rng))
        if overlays and merged.objects and most > 0:
            most -= 1
            name = f"{glasses.difficulty}_{zone.drawn_on.image_name}"
            figure = merged_overlay(merged.grey_HW, merged.found.mask_HW, merged.objects, name)
            save_figure(figure, overlays / f"{name}.png")
    return tally


def _print(difficulty: str, tally: Tally) -> None:
    units = unit_table(tally.units)
    zones, boxes = np.array(tally.zones), np.concatenate([np.array(found) for found in tally.boxes.values()])
    print(f"{difficulty}: IoU with the truth, median (mean) over {len(zones)} zones {np.median(zones):.3f} "
          f"({zones.mean():.3f}), over {len(boxes)} boxes {np.median(boxes):.3f} ({boxes.mean():.3f})")  # fmt: skip
    for label, found in sorted(tally.boxes.items()):
        print(f"  {label:8} {len(found):4} boxes  median {np.median(found):.3f}  mean {np.mean(found):.3f}")
    print(
        f"  boxes lost {tally.lost}; zones refused {tally.refused}; by the model {int((units['by'] == 'model').sum())}"
    )
    errors, refused = tally.shift_errors_px, tally.displaced_refused
    print(f"  shift: error <= {max(errors):.2f} px over {len(errors)} zones; displaced by {DISPLACED[0]:g} to "
          f"{DISPLACED[1]:g} tolerances: {sum(refused)} of {len(refused)} refused")  # fmt: skip
    for row in agreement(units, sorted(tally.boxes)).to_dict("records"):
        print(f"  agreement {row['class']:8} both {row['both']}, inspector only {row['inspector_only']}, model only "
              f"{row['model_only']}, neither {row['neither']}: kappa {row['kappa']:.3f}; IoU inspector-model "
              f"{row['iou_inspector_model']:.2f}, inspector-final {row['iou_inspector_final']:.2f}, model-final "
              f"{row['iou_model_final']:.2f}")  # fmt: skip
    print(f"  {tally.seconds:.1f} s of merging")


def main(
    glasses: Annotated[int, typer.Option(min=1)] = 50,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    size: Annotated[str, typer.Option(help="demo or full")] = "demo",
    difficulty: Annotated[list[str] | None, typer.Option(help="preset, repeatable")] = None,
    model: Annotated[str, typer.Option(help="the current model, or path of a bundle.zip")] = "classical",
    overlays: Annotated[Path | None, typer.Option(help="folder for pictures of merged zones")] = None,
    pictures: Annotated[int, typer.Option(min=0, help="pictures per preset")] = 6,
) -> None:
    """Print one block per preset."""
    for name in difficulty or ("standard", "hard", "unseen"):
        settings = GlassSetSettings.parse({"glasses": glasses, "size": size, "seed": seed, "difficulty": name})
        with tempfile.TemporaryDirectory() as folder:
            _print(name, _run(settings, Path(folder) / "glasses", current_model(model), overlays, pictures))


if __name__ == "__main__":
    typer.run(main)
