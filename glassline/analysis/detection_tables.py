"""What was found beside what is annotated: a row per image and per defect, in constant memory per defect.

Defects are matched one to one, see `glassline.analysis.matching`.
Shapes: H x W pixels, N defects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import ndimage

from glassline.analysis.matching import Index, Matches, match_defects
from glassline.data.labels import BOX_COLUMNS
from glassline.errors import DataError
from glassline.vision.defects import Defect, draw_defects

Real = npt.NDArray[np.floating]

#: What is told of a defect's severity, see `Defect`.
MEASURES = ("severity_max", "severity_mean", "severity_integrated")


@dataclass(frozen=True)
class ImageDefects:
    """Defects of an image, annotated or found.

    Attributes:
        index_HW: 1 + number of the defect at each pixel, 0 outside.
        types: Type of each, "" where it is not told.
        severity_N3: Highest, mean and integrated severity of each, NaN where it is not known.
        probability_N: Probability of the type, NaN where it is not known.
    """

    index_HW: Index
    types: Sequence[str]
    severity_N3: Real
    probability_N: Real

    @classmethod
    def annotated(cls, index_HW: Index, types: Sequence[str], severity_N3: Real | None = None) -> "ImageDefects":
        """Return annotated defects; their severity comes from `labelled_severity`."""
        unknown_N = np.full(len(types), np.nan)
        return cls(index_HW, types, np.full((len(types), 3), np.nan) if severity_N3 is None else severity_N3, unknown_N)

    @classmethod
    def found(
        cls, defects: Sequence[Defect], cell_px: int, size_px: tuple[int, int], types: Sequence[str] | None = None,
        probabilities: Sequence[float] | None = None,
    ) -> "ImageDefects":  # fmt: skip
        """Return what `find_defects` found on an image of a height and width, with what the classifier says of it."""
        severity_N3 = np.array([[getattr(one, name) for name in MEASURES] for one in defects]).reshape(-1, 3)
        unknown_N = np.full(len(defects), np.nan)
        return cls(draw_defects(defects, cell_px, size_px), [""] * len(defects) if types is None else types,
                   severity_N3, unknown_N if probabilities is None else np.asarray(probabilities, float))  # fmt: skip


class DetectionTables:
    """What was found on any number of images beside what is annotated there."""

    def __init__(self) -> None:
        """Start without an image."""
        self._images: list[dict[str, Any]] = []
        self._defects: dict[str, list[dict[str, Any]]] = {"annotated": [], "found": []}

    def add(self, image: str, annotated: ImageDefects, found: ImageDefects, group: str | None = None) -> None:
        """Compare one image.

        Args:
            image: Its name.
            annotated: Its annotated defects. One without a pixel, hidden by others, cannot be found and is left out.
            found: Its found defects.
            group: What else shows the same part, for intervals; the image alone where None.

        Raises:
            DataError: Sizes differ, or the numbers of defects, types and severities do.
        """
        for one in (annotated, found):
            if not len(one.types) == len(one.severity_N3) == len(one.probability_N):
                raise DataError(
                    f"every defect must have a type, a severity and a probability, got {len(one.types)}, "
                    f'{len(one.severity_N3)} and {len(one.probability_N)} on {image}; pass "" and NaN of unknown ones'
                )
        matches = match_defects(annotated.index_HW, found.index_HW, len(annotated.types), len(found.types))
        where = {"image": image, "group": image if group is None else group}
        pixels = int(matches.annotated_px_N.sum()), int(matches.found_px_M.sum()), matches.both_px
        union = pixels[0] + pixels[1] - pixels[2]
        told = dict(zip(("annotated_px", "found_px", "both_px"), pixels, strict=True))
        self._images.append({**where, **told, "iou": pixels[2] / union if union else np.nan})
        self._defects["annotated"] += _rows(where, annotated, found, matches, True)
        self._defects["found"] += _rows(where, found, annotated, matches, False)

    @property
    def images(self) -> pd.DataFrame:
        """A row per image: `image`, `group`, `annotated_px`, `found_px`, `both_px`, `iou` (NaN where both are none)."""
        columns = {"image": str, "group": str, "annotated_px": int, "found_px": int, "both_px": int, "iou": float}
        return pd.DataFrame(self._images, columns=list(columns)).astype(columns)

    @property
    def annotated(self) -> pd.DataFrame:
        """A row per annotated defect.

        `image`, `group`, `defect` (from 1), `type`, `probability`, the box in px, `area_px`, the severities, and the
        same of its match: `partner` (from 1, 0 of none), `iou`, `other_type`, `other_severity_max` and so on.
        """
        return _table(self._defects["annotated"])

    @property
    def found(self) -> pd.DataFrame:
        """A row per found defect; columns are those of `annotated`, and what is annotated is the other."""
        return _table(self._defects["found"])


def _rows(
    where: dict[str, Any], ours: ImageDefects, others: ImageDefects, matches: Matches, annotated: bool
) -> list[dict[str, Any]]:
    """Return a row per defect of one kind."""
    area_N = matches.annotated_px_N if annotated else matches.found_px_M
    partner_N = matches.partner_N if annotated else matches.partner_M
    boxes = ndimage.find_objects(ours.index_HW, max_label=len(ours.types)) if len(ours.types) else []
    rows = []
    for number in np.flatnonzero(area_N).tolist():
        partner, (rows_px, columns_px) = int(partner_N[number]), boxes[number]
        box = columns_px.start, rows_px.start, columns_px.stop - columns_px.start, rows_px.stop - rows_px.start
        iou = matches.iou_N[number if annotated else partner] if partner >= 0 else 0.0
        other = others.severity_N3[partner] if partner >= 0 else (np.nan,) * 3
        rows.append(
            {
                **where, "defect": number + 1, "type": ours.types[number], "probability": ours.probability_N[number],
                **dict(zip(BOX_COLUMNS, box, strict=True)), "area_px": area_N[number],
                **dict(zip(MEASURES, ours.severity_N3[number], strict=True)), "partner": partner + 1, "iou": iou,
                "other_type": others.types[partner] if partner >= 0 else "",
                **{f"other_{name}": value for name, value in zip(MEASURES, other, strict=True)},
            }
        )  # fmt: skip
    return rows


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    columns = {
        "image": str, "group": str, "defect": int, "type": str, "probability": float, **dict.fromkeys(BOX_COLUMNS, int),
        "area_px": int, **dict.fromkeys(MEASURES, float), "partner": int, "iou": float, "other_type": str,
        **{f"other_{name}": float for name in MEASURES},
    }  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)
