"""Small heads on frozen features: by how much it helps a target to add a source.

System D of the reading leaves open what its affinity is measured with. Our reading: a head is a regularised logistic
regression, clean against defective, on features of a network that stays as it is. It is fitted on the few samples of
the target and those of one source together, and judged on other samples of the target.
Shapes: N samples, F features.
"""

import zlib
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from glassline.data.sources import Source
from glassline.errors import DataError

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """Samples as a head sees them.

    Attributes:
        features_NF: Features of a frozen network.
        defective_N: Whether each sample shows a defect.
    """

    features_NF: npt.NDArray[np.floating]
    defective_N: npt.NDArray[np.bool_]


def draw_rows(source: Source, number: int, seed: int) -> Rows:
    """Draw at most so many rows of a source, clean and defective ones in turn while there are both.

    The draw depends on the source's name and not on its place among others.

    Args:
        source: What to draw from.
        number: Rows at most.
        seed: Any integer >= 0.

    Returns:
        Row positions in the source's table, in their order.
    """
    order_N = np.random.default_rng([seed, zlib.crc32(source.name.encode())]).permutation(len(source))
    defective_N = source.defective_N[order_N]
    turn_N = np.where(defective_N, defective_N.cumsum(), (~defective_N).cumsum())
    return np.sort(source.rows_N[order_N[turn_N.argsort(kind="stable")][:number]])


def head_losses(target: Examples, source: Examples, held: Examples) -> Floats:
    """Return the log loss (N) of each held-out sample of a target under a head that a source helps.

    Clean samples of target and source weigh alike, and so do defective ones; what the source has none of is weighed
    as if it had. So clean and defective keep the target's shares whatever those of the source, of which one may be
    0, and every head is regularised as much. Features are standardised over both with the same weights, and the
    penalty grows with their number as their squares do: of 1296 features and 250 samples of magnetic tiles a fixed
    one made heads surer than they were right, with losses of 1.5 to 3 where 0.69 is chance.

    Args:
        target: Samples of the target to fit on, clean and defective ones.
        source: Samples of the source, one at least.
        held: Samples of the target to judge on.

    Raises:
        DataError: The target has none that are clean, or defective, or a feature is no finite number.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(target.defective_N)) < 2:
        kind = "defective" if target.defective_N.all() else "clean"
        raise DataError(f"a head needs clean and defective samples of the target, got only {kind} ones; label both")
    features_NF = np.concatenate([target.features_NF, source.features_NF]).astype(np.float64)
    defective_N = np.concatenate([target.defective_N, source.defective_N])
    if not np.isfinite(features_NF).all() or not np.isfinite(held.features_NF).all():
        raise DataError("features must be finite, got others; train the base network with a lower learning rate")
    weight_N = _weights(target.defective_N, source.defective_N)
    telling = max(1, int((np.ptp(features_NF, axis=0) > 0).sum()))  # many of a network are 0 everywhere
    head = make_pipeline(StandardScaler(), LogisticRegression(C=1 / telling, max_iter=1000))
    head.fit(
        features_NF, defective_N, standardscaler__sample_weight=weight_N, logisticregression__sample_weight=weight_N
    )
    margin_N = np.where(held.defective_N, 1, -1) * head.decision_function(held.features_NF.astype(np.float64))
    # -log of the sigmoid, which never underflows to a probability of 0.
    return cast(Floats, np.logaddexp(0, -margin_N))


def even_weights(defective_N: npt.NDArray[np.bool_]) -> Floats:
    """Return the weight of each sample (N), with which clean and defective ones count alike, however few they are."""
    count_N = np.where(defective_N, defective_N.sum(), (~defective_N).sum())
    return cast(Floats, 1 / count_N)


def _weights(target_N: npt.NDArray[np.bool_], source_N: npt.NDArray[np.bool_]) -> Floats:
    """Return the weight of each sample of target and source; those of the target weigh 1 where the source has some."""
    weight_N = np.ones(len(target_N) + len(source_N))
    for kind in (False, True):
        own_N, other_N = (np.flatnonzero(side_N == kind) for side_N in (target_N, source_N))
        weight_N[own_N] = 1 if len(other_N) else 2
        weight_N[len(target_N) + other_N] = len(own_N) / max(len(other_N), 1)
    return weight_N
