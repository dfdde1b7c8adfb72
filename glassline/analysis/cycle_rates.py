"""How candidates and champion did on a product: one row per model, of the units that the gate counted."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from glassline.analysis.compared import Compared, Product


@dataclass(frozen=True)
class ModelRates:
    """What one model said of a product's units.

    Attributes:
        model: Name of the candidate, or `champion` with its version.
        units: How many were judged.
        right: How many of them as labelled.
        defective: Units with a defect; 0 where no class is clean.
        missed: Of these, judged clean.
        clean: Units without a defect.
        false_alarms: Of these, judged defective.
        latency_ms: 95th percentile of a unit's time; NaN of the champion, which is not timed.
    """

    model: str
    units: int
    right: int
    defective: int
    missed: int
    clean: int
    false_alarms: int
    latency_ms: float


def rates_of(compared: Sequence[Compared], product: Product) -> list[ModelRates]:
    """Return one row per candidate, in their order, and the champion's last where it judged.

    Args:
        compared: What `compare_champion` wrote, one per candidate.
        product: Which product's units.
    """
    found = []
    for one in compared:
        if len(rows := one.units(product)):
            found.append(_rates(one.name, rows, "candidate", one.clean_class, float(one.latency_ms["p95"])))
    for one in compared:
        rows = one.units(product)
        rows = rows[rows["champion"] != ""]
        if one.champion and not one.champion_error and len(rows):
            found.append(_rates(f"champion {one.champion}", rows, "champion", one.clean_class, float("nan")))
            break
    return found


def _rates(model: str, rows: pd.DataFrame, column: str, clean_class: str, latency_ms: float) -> ModelRates:
    said, actual = rows[column], rows["actual"]
    clean = (actual == clean_class) if clean_class else pd.Series(False, index=rows.index)
    defective = ~clean if clean_class else clean
    return ModelRates(
        model, len(rows), int((said == actual).sum()), int(defective.sum()),
        int((defective & (said == clean_class)).sum()), int(clean.sum()), int((clean & (said != clean_class)).sum()),
        latency_ms,
    )  # fmt: skip
