"""What labelled captures show: how marks answer to the direction of light, and how little of a glass is scratched.

Shapes: S light states x H x W pixels.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd
from pycocotools import mask as coco_mask

from glassline.bench.measured import Bench, Measured, table_block
from glassline.data.captures.store import open_captures
from glassline.data.labels import LabelledObject, Labels, read_labels
from glassline.data.store.fetched import fetched

# What a simulated set tells of its defects, and of what lies on the glass.
_DEFECTS, _CONTAMINANTS = "truth.json", "contaminants.json"


def light_response(bench: Bench) -> Measured:
    """Measure by how much marks darken and brighten as the light turns."""
    rows = []
    with fetched(bench.data) as folder:
        for name in (_DEFECTS, _CONTAMINANTS):
            labels = read_labels(folder / name)
            captures = open_captures(labels.captures)
            for zone in labels.zones[: bench.sized(6, 24, 100)]:
                levels_SHW = captures.read(zone.ref).astype(np.float32)
                levels_SHW -= np.median(levels_SHW, axis=(1, 2), keepdims=True)
                rows += [{"kind": item.label, "modulation": _modulation(levels_SHW, item)} for item in zone.objects]
    told = pd.DataFrame(rows).dropna().groupby("kind")["modulation"].agg(["median", "count"]).reset_index()
    medians = dict(zip(told["kind"], told["median"], strict=True))
    return Measured({name: float(value) for name, value in medians.items()}, [table_block(told)])


def imbalance(bench: Bench) -> Measured:
    """Measure the share of the labelled zones' pixels that are scratched."""
    with fetched(bench.data, suffix=_DEFECTS) as folder:
        labels = read_labels(folder / _DEFECTS)
    scratched = sum(int(coco_mask.area(item.segmentation)) for item in _scratches(labels))
    pixels = sum(zone.width_px * zone.height_px for zone in labels.zones)
    return Measured(
        {"scratched share": scratched / pixels, "scratches": len(_scratches(labels)), "zones": len(labels.zones)}
    )


def _scratches(labels: Labels) -> list[LabelledObject]:
    return [item for zone in labels.zones for item in zone.objects if item.label == "scratch"]


def _modulation(levels_SHW: npt.NDArray[np.float32], item: LabelledObject) -> float:
    """Return (highest - lowest) / (highest + lowest) of a mark's mean level over light states; NaN of a dark one."""
    mask_HW = np.asarray(coco_mask.decode(item.segmentation), np.bool_)
    level_S = levels_SHW[:, mask_HW].mean(axis=1) if mask_HW.any() else np.zeros(len(levels_SHW))
    highest, lowest = float(level_S.max()), max(float(level_S.min()), 0.0)
    return (highest - lowest) / (highest + lowest) if highest > 0 else np.nan
