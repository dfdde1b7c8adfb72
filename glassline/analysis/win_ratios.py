"""How many times more often one source beats another.

Source: the normalised affinities of Taskonomy (Zamir et al. 2018, section 3.3), which system D of the reading takes
over; the scale of 1/9 to 9 is Saaty's.
Shapes: S sources, N held-out samples of the target.
"""

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

#: Saaty's scale ends here.
LARGEST = 9.0


def win_ratios(loss_SN: npt.ArrayLike, weight_N: npt.ArrayLike | None = None) -> npt.NDArray[np.float64]:
    """Return the ratios of wins (S, S), reciprocal and in [1/9, 9]: > 1 where the row is better than the column.

    A win is a sample with the lower loss, a tie is half a win for each. Both sides get one win more (Laplace), so that
    ratios of few samples stay near 1.

    Args:
        loss_SN: Loss of each source at each sample.
        weight_N: How much each sample counts, > 0; only their ratios matter. None counts all alike.

    Raises:
        DataError: There is no source or sample, a loss is no finite number, or a weight none > 0.
    """
    loss_SN = np.asarray(loss_SN, np.float64)
    if loss_SN.ndim != 2 or not loss_SN.size:
        raise DataError(f"losses must be sources x samples, at least one of each, got {loss_SN.shape}; hold some out")
    if not np.isfinite(loss_SN).all():
        raise DataError(f"losses must be finite, got {loss_SN[~np.isfinite(loss_SN)][0]}; mend the features")
    samples = loss_SN.shape[1]
    count_N = np.ones(samples) if weight_N is None else np.asarray(weight_N, np.float64)
    if count_N.shape != (samples,) or not (np.isfinite(count_N) & (count_N > 0)).all():
        raise DataError(f"weights must be one number > 0 for each of {samples} samples, got {count_N}; mend them")
    count_N = count_N * samples / count_N.sum()
    lower_SS = np.array([(one_N < loss_SN) @ count_N for one_N in loss_SN])
    wins_SS = (lower_SS + samples - lower_SS.T) / 2
    return np.asarray(np.clip((wins_SS + 1) / (wins_SS.T + 1), 1 / LARGEST, LARGEST))
