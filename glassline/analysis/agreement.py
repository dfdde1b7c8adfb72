"""How far inspector, model and final mask agree.

Units are the inspector's boxes and every candidate of the model that lies in none of them. The inspector calls
a unit a defect when he boxed it; the model when its mask has a pixel in the candidate, or some in the box.
Candidates that the model itself rejects and the inspector did not box (dust, stains) are where both say no:
without them kappa could only be negative.

Source: Cohen 1960 for kappa.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.labels import CONTROL
from glassline.vision.double_threshold import Mask, Segmentation
from glassline.vision.merge import MergedObject

#: Pairs whose overlap is measured: boxes against boxes, masks against masks.
PAIRS = ("inspector_model", "inspector_final", "model_final")

# A mask of fewer pixels is a speck of dust at the box's rim, not the object that was boxed.
_LEAST_PX = 6


@dataclass(frozen=True)
class Unit:
    """One place that inspector or model noticed; areas in px.

    Attributes:
        zone: Name of its picture.
        label: The box's class, `control` where there is no box.
        status: The box's, "" where there is none.
        by: Who segmented the box, "" where there is none.
        inspector: Whether the inspector calls it a defect.
        model: Whether the model does.
        box_px: The inspector's box.
        model_box_px: Box around the model's mask there.
        final_box_px: Box around the final mask.
        model_px: The model's mask.
        final_px: The final mask.
        both_px: What model's and final mask have in common.
    """

    zone: str
    label: str
    status: str
    by: str
    inspector: bool
    model: bool
    box_px: int
    model_box_px: int
    final_box_px: int
    model_px: int
    final_px: int
    both_px: int


def zone_units(zone: str, objects: Sequence[MergedObject], found: Segmentation) -> list[Unit]:
    """Return the units of one zone.

    Args:
        zone: Its name.
        objects: What was boxed.
        found: What the model found.
    """
    units = [_of_object(zone, item) for item in objects]
    boxed_HW = np.zeros(found.mask_HW.shape, np.bool_)
    for item in objects:
        boxed_HW[item.window] = True
    count, labels_HW, stats, _ = cv2.connectedComponentsWithStats(found.candidates_HW.astype(np.uint8), connectivity=8)
    in_box = np.unique(labels_HW[boxed_HW])
    model_px = np.bincount(labels_HW[found.mask_HW], minlength=count)
    for number in np.setdiff1d(np.arange(1, count), in_box):
        area_px = int(model_px[number])
        box_px = int(stats[number, cv2.CC_STAT_WIDTH] * stats[number, cv2.CC_STAT_HEIGHT]) if area_px else 0
        units.append(Unit(zone, CONTROL, "", "", False, area_px > 0, 0, box_px, 0, area_px, 0, 0))
    return units


def unit_table(units: Sequence[Unit]) -> pd.DataFrame:
    """Return units as rows."""
    kinds = {field.name: field.type for field in fields(Unit)}
    # Named for the sake of a table without rows, whose columns would else be objects.
    return pd.DataFrame([asdict(unit) for unit in units], columns=list(kinds)).astype(kinds)


def overlap(units: pd.DataFrame) -> dict[str, float]:
    """Return the intersection over union of each of PAIRS over all units, NaN where there is nothing.

    Inspector and model, inspector and final mask are compared as boxes, model and final mask as masks.
    """
    total = units[["box_px", "model_box_px", "final_box_px", "model_px", "final_px", "both_px"]].sum()
    boxed = units[units["inspector"]]
    outside_px = units.loc[~units["inspector"], "model_box_px"].sum()
    return {
        # What the model has in a box is cut to the box, so that the smaller of both is the intersection.
        "inspector_model": _ratio(boxed["model_box_px"].sum(), total["box_px"] + outside_px),
        "inspector_final": _ratio(total["final_box_px"], total["box_px"]),
        "model_final": _ratio(total["both_px"], total["model_px"] + total["final_px"] - total["both_px"]),
    }


def kappa(units: pd.DataFrame) -> float:
    """Return Cohen's kappa between inspector and model over units, NaN where either says the same of all."""
    from sklearn.metrics import cohen_kappa_score

    if units["inspector"].nunique() < 2 or units["model"].nunique() < 2:
        return float("nan")
    return float(cohen_kappa_score(units["inspector"], units["model"]))


def agreement(units: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Return one row per class, and one of all: units, who called them a defect, kappa, overlaps.

    A class's row holds its boxes and every unit without a box.
    """
    unboxed = units[~units["inspector"]]
    rows = []
    for name in (*classes, "all"):
        own = units if name == "all" else pd.concat([units[units["label"] == name], unboxed])
        boxed = own if name == "all" else own[own["inspector"]]
        inspector, model = own["inspector"].to_numpy(bool), own["model"].to_numpy(bool)
        rows.append(
            {
                "class": name, "boxes": int(inspector.sum()), "both": int((inspector & model).sum()),
                "inspector_only": int((inspector & ~model).sum()), "model_only": int((~inspector & model).sum()),
                "neither": int((~inspector & ~model).sum()), "kappa": kappa(own),
                **{f"iou_{pair}": value for pair, value in overlap(boxed).items()},
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _of_object(zone: str, item: MergedObject) -> Unit:
    return Unit(
        zone, item.drawn.label, item.drawn.status, item.by, True, int(item.model_HW.sum()) >= _LEAST_PX,
        item.mask_HW.size, _box_px(item.model_HW), _box_px(item.mask_HW), int(item.model_HW.sum()),
        int(item.mask_HW.sum()), int((item.model_HW & item.mask_HW).sum()),
    )  # fmt: skip


def _box_px(mask_HW: Mask) -> int:
    """Return the area of the box around a mask, 0 around nothing."""
    _, _, width, height = cv2.boundingRect(mask_HW.astype(np.uint8))
    return int(width * height)


def _ratio(part: npt.ArrayLike, whole: npt.ArrayLike) -> float:
    return float(np.asarray(part) / np.asarray(whole)) if np.asarray(whole) else float("nan")
