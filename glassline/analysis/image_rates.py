"""How often defective and clean images are told right: TPR and TNR of a threshold on an image's highest probability.

Source: system D of the reading, section 4.1.3, eq. 2 and 3.
Shapes: N patches, I images.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.operating_point import ErrorRates, error_rates, trade_off
from glassline.errors import DataError


@dataclass(frozen=True)
class ImageRates:
    """What a threshold does; a rate of no image is NaN, with the interval 0 to 1.

    Attributes:
        threshold: Probability from which an image is defective.
        tpr: Share of defective images that are told so.
        tpr_low: Lower end of its 95 % Wilson interval.
        tpr_high: Upper end of it.
        defective: Defective images.
        tnr: Share of clean images that are told so.
        tnr_low: Lower end of its 95 % Wilson interval.
        tnr_high: Upper end of it.
        clean: Clean images.
    """

    threshold: float
    tpr: float
    tpr_low: float
    tpr_high: float
    defective: int
    tnr: float
    tnr_low: float
    tnr_high: float
    clean: int


def by_image(
    image_N: npt.NDArray[np.object_], probability_N: npt.NDArray[np.floating], defective_N: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Return one row per image, sorted: `image`, its highest `probability`, and whether a patch is `defective`."""
    rows = pd.DataFrame({"image": image_N, "probability": probability_N, "defective": defective_N})
    return rows.groupby("image", as_index=False, sort=True).max()


def best_threshold(images: pd.DataFrame) -> float:
    """Return the threshold of the highest sum of TPR and TNR, midway to the next lower probability.

    Args:
        images: Table of `by_image`, of validation images.

    Raises:
        DataError: There is no defective image, or no clean one.
    """
    defective_I = images["defective"].to_numpy(np.bool_)
    if not defective_I.any() or defective_I.all():
        raise DataError(
            f"a threshold needs defective and clean validation images, got {int(defective_I.sum())} and "
            f"{int((~defective_I).sum())}; import images of both kinds, or split with another seed or into fewer folds"
        )
    curve = trade_off(images["probability"].to_numpy(np.float64), defective_I)
    best = int((curve["fn_rate"] + curve["fp_rate"]).to_numpy().argmin())
    lower = curve["threshold"].iloc[best - 1] if best else 0.0
    # Never the lower one itself, where no number lies between: its images would change sides.
    return float(max((lower + curve["threshold"].iloc[best]) / 2, np.nextafter(lower, 2.0)))


def image_rates(images: pd.DataFrame, threshold: float) -> ImageRates:
    """Return what a threshold does on a table of `by_image`.

    Raises:
        DataError: There is no image, or a probability leaves 0 to 1.
    """
    found: ErrorRates = error_rates(
        images["probability"].to_numpy(np.float64), images["defective"].to_numpy(np.bool_), threshold
    )
    return ImageRates(
        threshold, 1 - found.fn_rate, 1 - found.fn_high, 1 - found.fn_low, found.defective,
        1 - found.fp_rate, 1 - found.fp_high, 1 - found.fp_low, found.clean,
    )  # fmt: skip
