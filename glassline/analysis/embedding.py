"""Features in two dimensions, so that a reviewer sees what a model holds apart.

Source: van der Maaten and Hinton 2008 (t-SNE); PCA start after Kobak and Berens 2019.
Shapes: N samples, F features.
"""

import numpy as np
import numpy.typing as npt

from glassline.errors import DataError, ModelError

_FEWEST = 5
_PERPLEXITY = 30.0


def embed_tsne(
    features_NF: npt.NDArray[np.floating], seed: int, perplexity: float | None = None
) -> npt.NDArray[np.float32]:
    """Embed features in two dimensions by t-SNE.

    Time and memory grow with N: pass a subsample, stratified by class, of a few thousand at most.

    Args:
        features_NF: What a layer of the model makes of each sample; N at least 5.
        seed: Seed of the start and of the optimisation; the same seed gives the same picture.
        perplexity: Effective number of neighbours, above 1; 30 by default. Lowered to (N - 1) / 3 where
            there are too few samples for it.

    Returns:
        xy_N2 without unit; only neighbourhoods mean something, not distances.

    Raises:
        DataError: Fewer than 5 samples, no N x F table, or a perplexity of 1 or less.
        ModelError: Every sample has the same features, or some are not finite.
    """
    features_NF = np.asarray(features_NF, np.float64)
    count = len(features_NF)
    if features_NF.ndim != 2 or count < _FEWEST or features_NF.shape[1] == 0:
        raise DataError(
            f"t-SNE needs at least {_FEWEST} samples x 1 feature, got {features_NF.shape}; pass more samples"
        )
    wanted = _PERPLEXITY if perplexity is None else perplexity
    if not wanted > 1:
        raise DataError(f"perplexity must be > 1, got {wanted}; 30 is usual")
    if not np.isfinite(features_NF).all():
        raise ModelError(
            f"features must be finite, got {np.count_nonzero(~np.isfinite(features_NF))} values that are not; "
            "lower the learning rate and train again"
        )
    spread_F = np.ptp(features_NF, axis=0)
    if np.all(spread_F <= 1e-9 * np.abs(features_NF).max(axis=0)):
        raise ModelError(
            f"features must differ between samples, got the same for all {count}: the model has collapsed; "
            "lower the learning rate, or check labels and class weights"
        )
    from openTSNE import TSNE

    if features_NF.shape[1] == 1:
        features_NF = np.hstack([features_NF, np.zeros_like(features_NF)])  # PCA needs two columns
    tsne = TSNE(
        perplexity=min(wanted, (count - 1) / 3), initialization="pca", random_state=seed, n_jobs=1, neighbors="exact",
        negative_gradient_method="bh",
    )  # fmt: skip
    return np.asarray(tsne.fit(features_NF), np.float32)
