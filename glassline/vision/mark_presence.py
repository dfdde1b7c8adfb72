"""Which images show a mark: a matched filter of each image's gradients with those that the others share.

Shapes: K images, N gradients around the mark.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Real = npt.NDArray[np.float32]

_ROUNDS = 50


@dataclass(frozen=True)
class Presence:
    """Which images show a mark.

    Attributes:
        shows_K: Whether each does.
        score_K: How much of the mark each shows: about 1 where it is, 0 where it is not.
        error: Share of images that are expected to be told wrongly, for noise.
    """

    shows_K: npt.NDArray[np.bool_]
    score_K: npt.NDArray[np.float64]
    error: float


def find_presence(clipped_KN: Real, elsewhere_KN: Real, window_K: npt.NDArray[np.bool_]) -> Presence:
    """Tell which images show a mark.

    An image is compared with the mean of the others that show it, never with itself: its own noise agrees with itself.

    Args:
        clipped_KN: Gradients of each image at the mark, in units of the noise and clipped.
        elsewhere_KN: Those of a place beside it, for noise.
        window_K: Images in which the mark was found together.
    """
    window = int(window_K.sum())
    sum_N = clipped_KN[window_K].sum(axis=0)
    own_K = window_K * np.square(clipped_KN).sum(axis=1)
    score_K = np.asarray((clipped_KN @ sum_N - own_K) / (window - window_K), np.float64)
    noise = max(float(np.std(elsewhere_KN @ sum_N)) / window, 1e-9)
    share, shown = _mixture(score_K, noise)
    odds = np.log((1 - share) / share)
    least = shown / 2 + noise**2 / shown * odds
    error = share * norm.cdf((least - shown) / noise) + (1 - share) * norm.sf(least / noise)
    return Presence(score_K > least, score_K / shown, float(error))


def _mixture(score_K: npt.NDArray[np.float64], noise: float) -> tuple[float, float]:
    """Return the share of images that show the mark and their mean score, by expectation and maximisation."""
    share, shown = 0.5, max(float(np.mean(np.sort(score_K)[len(score_K) // 2 :])), noise)
    for _ in range(_ROUNDS):
        exponent_K = np.clip((shown / 2 - score_K) * shown / noise**2, -50, 50)
        likely_K = share / (share + (1 - share) * np.exp(exponent_K))
        share = float(np.clip(likely_K.mean(), 1e-3, 1 - 1e-3))
        shown = max(float((likely_K * score_K).sum() / likely_K.sum()), noise)
    return share, shown
