"""Analytic Hierarchy Process: weights of things that were compared pair by pair.

Source: Saaty 1980, The Analytic Hierarchy Process: weights are the principal eigenvector of the ratios, judged by
how far its eigenvalue lies above that of ratios without contradiction.
Shapes: S sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

Floats = npt.NDArray[np.float64]

# Mean consistency index of random ratios of 1, 2, … things; Saaty 1980.
_RANDOM_INDEX = (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)


@dataclass(frozen=True)
class Priorities:
    """Result of the process.

    Attributes:
        weight_S: Weights > 0 that sum to 1.
        consistency_ratio: 0 where ratios never contradict each other, about 1 where they are random.
    """

    weight_S: Floats
    consistency_ratio: float


def ahp(ratio_SS: npt.ArrayLike, largest_inconsistency: float = 0.1, names: Sequence[str] = ()) -> Priorities:
    """Return the weights behind ratios.

    Args:
        ratio_SS: How many times better the source of the row is than that of the column; > 0, and the reciprocal on
            the other side of the diagonal.
        largest_inconsistency: Consistency ratio up to which ratios are taken; Saaty's limit is 0.1.
        names: Names of the sources in errors; their positions where there are none.

    Raises:
        DataError: Ratios are not square, not > 0, not reciprocal, or contradict each other too much; names the three
            sources that do most.
    """
    ratio_SS = np.asarray(ratio_SS, np.float64)
    _check(ratio_SS)
    count = len(ratio_SS)
    value_S, vector_SS = np.linalg.eig(ratio_SS)
    first = int(value_S.real.argmax())
    weight_S = np.abs(vector_SS[:, first].real)
    # Two things cannot contradict each other; rounding may leave the eigenvalue a little below their number.
    index = max(float(value_S[first].real) - count, 0) / (count - 1) if count > 2 else 0.0
    inconsistency = index / random_index(count) if count > 2 else 0.0
    if inconsistency > largest_inconsistency:
        raise DataError(
            f"the consistency ratio must be <= {largest_inconsistency:g}, got {inconsistency:.3g} "
            f"({_contradiction(ratio_SS, names or [str(number) for number in range(count)])}); hold out more samples "
            "of the target, take fewer sources that are nearly equal, or raise largest_inconsistency"
        )
    return Priorities(weight_S / weight_S.sum(), inconsistency)


def random_index(count: int) -> float:
    """Return the mean consistency index of random ratios of so many things.

    Source: Saaty's table up to 15; beyond, the line that Alonso and Lamata 2006 fitted to the mean eigenvalue.
    """
    if count <= len(_RANDOM_INDEX):
        return float(_RANDOM_INDEX[count - 1])
    return (2.7699 * count - 4.3513 - count) / (count - 1)


def _check(ratio_SS: Floats) -> None:
    if ratio_SS.ndim != 2 or ratio_SS.shape[0] != ratio_SS.shape[1] or not len(ratio_SS):
        raise DataError(
            f"ratios must be a square matrix of at least one source, got shape {ratio_SS.shape}; compare every pair"
        )
    if not (np.isfinite(ratio_SS) & (ratio_SS > 0)).all():
        wrong = ratio_SS[~(np.isfinite(ratio_SS) & (ratio_SS > 0))][0]
        raise DataError(f"ratios must be finite and > 0, got {wrong:g}; smooth the counts that they are made of")
    product_SS = ratio_SS * ratio_SS.T
    if not np.allclose(product_SS, 1, rtol=0, atol=1e-6):
        row, column = np.unravel_index(np.abs(np.log(product_SS)).argmax(), product_SS.shape)
        raise DataError(
            f"ratios must be reciprocal, got {ratio_SS[row, column]:g} and {ratio_SS[column, row]:g} for the pair "
            f"{row}, {column}; set one to 1 / the other"
        )


def _contradiction(ratio_SS: Floats, names: Sequence[str]) -> str:
    """Say which three sources contradict each other most: where way round and direct way differ by the most."""
    log_SS = np.log(ratio_SS)
    round_SSS = np.abs(log_SS[:, :, None] + log_SS[None, :, :] - log_SS[:, None, :])
    first, second, third = (int(at) for at in np.unravel_index(round_SSS.argmax(), round_SSS.shape))
    return ", ".join(
        f"{names[one]} : {names[other]} = {ratio_SS[one, other]:.3g}"
        for one, other in ((first, second), (second, third), (first, third))
    )
