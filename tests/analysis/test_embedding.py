import numpy as np
import pytest

from glassline.analysis.embedding import embed_tsne
from glassline.errors import DataError, ModelError


def _clusters(seed=0):
    rng = np.random.default_rng(seed)
    centre_CF = 20 * np.eye(3, 8)
    label_N = np.repeat([0, 1, 2], 20)
    return centre_CF[label_N] + rng.normal(size=(60, 8)), label_N


def test_embedding_keeps_neighbours_together():
    features_NF, label_N = _clusters()
    xy_N2 = embed_tsne(features_NF, seed=0)
    distance_NN = np.linalg.norm(xy_N2[:, None] - xy_N2[None], axis=2)
    np.fill_diagonal(distance_NN, np.inf)
    assert xy_N2.dtype == np.float32
    assert (label_N[distance_NN.argmin(1)] == label_N).all()


def test_embedding_repeats_with_the_same_seed():
    features_NF, _ = _clusters()
    np.testing.assert_array_equal(embed_tsne(features_NF, seed=3), embed_tsne(features_NF, seed=3))


@pytest.mark.parametrize("shape", [(5, 3), (6, 1), (7, 2)])
def test_embedding_lowers_the_perplexity_when_samples_are_few(shape):
    xy_N2 = embed_tsne(np.random.default_rng(0).normal(size=shape), seed=0, perplexity=50)
    assert xy_N2.shape == (shape[0], 2)
    assert np.isfinite(xy_N2).all()


def test_embedding_takes_many_equal_rows_beside_others():
    features_NF = np.repeat([[0.0, 1.0], [1.0, 0.0]], 20, axis=0)
    assert np.isfinite(embed_tsne(features_NF, seed=0)).all()


@pytest.mark.parametrize("shape", [(4, 8), (0, 8), (9, 0)])
def test_embedding_refuses_too_few_samples_or_features(shape):
    with pytest.raises(DataError, match="at least 5 samples"):
        embed_tsne(np.zeros(shape), seed=0)


def test_embedding_refuses_a_perplexity_of_one():
    with pytest.raises(DataError, match="perplexity must be > 1, got 1"):
        embed_tsne(_clusters()[0], seed=0, perplexity=1)


@pytest.mark.parametrize("value", [0.0, 3.7])
def test_embedding_names_a_collapsed_model(value):
    with pytest.raises(ModelError, match="collapsed"):
        embed_tsne(np.full((10, 4), value), seed=0)


def test_embedding_refuses_features_that_are_not_finite():
    features_NF, _ = _clusters()
    features_NF[2, 2] = np.nan
    with pytest.raises(ModelError, match="got 1 values"):
        embed_tsne(features_NF, seed=0)
