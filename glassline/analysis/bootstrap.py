"""Intervals of figures whose samples come in groups: a glass, a part, an image.

Shapes: N samples, G groups, K numbers of a sample, B bootstrap draws.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Counts of groups in bootstrap draws that are held at once.
_DRAWS = 4_000_000


def group_totals(groups_N: npt.ArrayLike, values_NK: npt.ArrayLike) -> Floats:
    """Return the sums (G, K) of the numbers of each group's samples."""
    names, index_N = np.unique(np.asarray(groups_N).astype(str), return_inverse=True)
    total_GK = np.zeros((len(names), np.shape(values_NK)[1]))
    np.add.at(total_GK, index_N, np.asarray(values_NK, np.float64))
    return total_GK


def bootstrap_interval(
    total_GK: Floats, figure: Callable[[Floats], Floats], seed: int, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a figure of sums over groups.

    Source: percentile bootstrap over whole groups (Efron 1979; clusters after Field and Welsh 2007), since samples of
    one group are not independent.

    Args:
        total_GK: Sums of each group's samples, of at least two groups.
        figure: Makes the figure (…) of sums over groups (…, K).
        seed: Seed of the draws, >= 0.
        resamples: Number of draws.
        level: Share of such intervals that cover the truth, in (0, 1).

    Returns:
        Its lower and upper end.
    """
    return drawn_interval(len(total_GK), lambda times_BG: figure(times_BG @ total_GK), seed, resamples, level)


def drawn_interval(
    groups: int, figure: Callable[[Floats], Floats], seed: int, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Return the interval of a figure that is not one of sums over groups, such as a rank correlation.

    Source: that of `bootstrap_interval`.

    Args:
        groups: Number of groups, two at least.
        figure: Makes the figure (B) of how often each draw holds each group (B, G).
        seed: Seed of the draws, >= 0.
        resamples: Number of draws.
        level: Share of such intervals that cover the truth, in (0, 1).

    Returns:
        Its lower and upper end.
    """
    from scipy.stats import bootstrap

    def statistic(index: npt.NDArray[np.intp], axis: int = -1) -> Floats:
        # How often each group was drawn: its samples then count so often.
        index_BG = np.atleast_2d(index).astype(np.intp)
        place_BG = index_BG + groups * np.arange(len(index_BG))[:, None]
        times_BG = np.bincount(place_BG.ravel(), minlength=place_BG.size).reshape(place_BG.shape)
        found_B = figure(times_BG.astype(np.float64))
        return found_B if index.ndim > 1 else found_B[0]

    found = bootstrap(
        (np.arange(groups),), statistic, vectorized=True, n_resamples=resamples, method="percentile",
        batch=max(1, _DRAWS // groups), confidence_level=level, rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return float(found.low), float(found.high)
