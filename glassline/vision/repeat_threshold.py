"""The strength from which a mark is no accident, at a stated rate of false alarms.

Shapes: R replicas, h x w places, N squares.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32]

#: Edge of the squares of which the strongest place is taken.
SQUARE_PX = 64

# Squares whose strongest place tells the tail: the upper tenth of all.
_TAIL = 0.1
# A Gaussian's tail falls with exp(-z^2 / 2): no tail of sums over images is taken for lighter.
_LEAST_DECAY = 2.0
# What a tail of sparse images may be heavier than its exponential at the far end.
_SAFE = 2.0


@dataclass(frozen=True)
class Tail:
    """How likely the strongest place of a clean square is beyond a strength.

    Attributes:
        start: Strength from which the tail is known, in sigmas.
        decay: Squares of strength over which the probability falls to 1 / e.
    """

    start: float
    decay: float

    def probability(self, strength: float, squares: float) -> float:
        """Return the probability that any of some clean squares is stronger; 1 below the tail's start."""
        if strength <= self.start:
            return 1.0
        return min(1.0, _SAFE * squares * _TAIL * math.exp(-(strength**2 - self.start**2) / self.decay))

    def threshold(self, squares: float, rate: float) -> float:
        """Return the strength that the strongest of some clean squares passes with a probability of `rate`."""
        return math.sqrt(self.start**2 + self.decay * math.log(max(_SAFE * squares * _TAIL / rate, 1)))


def fit_tail(strongest_N: Real) -> Tail:
    """Fit the tail to the strongest places of clean squares, two standard errors to the safe side.

    The upper tenth of squared strengths is taken for exponential: exact for the maxima of Gaussian noise far out, and
    slower than exact for sums of bounded terms.
    """
    squared_N = np.sort(np.square(strongest_N.astype(np.float64)))
    beyond = max(int(len(squared_N) * _TAIL), 1)
    start = float(squared_N[-beyond - 1]) if beyond < len(squared_N) else float(squared_N[0])
    decay = float(np.mean(squared_N[-beyond:] - start)) * (1 + 2 / math.sqrt(beyond))
    return Tail(math.sqrt(start), max(decay, _LEAST_DECAY))


def square_maxima(strength_Rhw: Real, edge: int) -> Real:
    """Return the strongest place of every square of every map (N,); the last square of a row is narrower.

    Args:
        strength_Rhw: Maps.
        edge: Of a square.
    """
    rows = np.maximum.reduceat(strength_Rhw, np.arange(0, strength_Rhw.shape[1], edge), axis=1)
    return np.maximum.reduceat(rows, np.arange(0, strength_Rhw.shape[2], edge), axis=2).reshape(-1)
