"""Training by distances: what is drawn, what is refused, and that classes come apart."""

import numpy as np
import pytest
import torch

from glassline.data.store import open_store
from glassline.errors import DataError, ModelError
from glassline.models.registry import build_model
from glassline.training.data import EpochShuffle
from glassline.training.fitted import predict
from glassline.training.loop import fit_model
from glassline.training.metric import MetricTask
from glassline.training.settings import TrainingSettings

SMALL = {"cnn": {"filters": 4, "pool_px": 4}, "embedding": {"width": 8}, "batch_size": 8, "epochs": 2}
LABELS = ["dent"] * 12 + ["mold"] * 6 + ["fold"] * 4


def _bright(labels):
    """Patches that differ by class: their level."""
    levels = {"dent": 40, "mold": 120, "fold": 220}
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(levels[one] - 30, levels[one] + 30, (112, 112)) for one in labels]).astype(np.uint8)


@pytest.fixture
def fit(make_table, tmp_path):
    """Fit on patches that a glance tells apart: fit("triplet", labels=..., epochs=...)."""

    def run(name="triplet", labels=LABELS, patches=None, **training):
        patches = _bright(labels) if patches is None else patches
        table = make_table(labels, patches_NHW=patches, classes=tuple(sorted(set(LABELS))))
        settings = TrainingSettings.parse({**SMALL, **training})
        rows_N = np.arange(len(labels))
        return table, fit_model(
            name, table, rows_N, rows_N[:0], settings, 0, open_store(tmp_path / "fits"), lambda *told: None
        )

    return run


@pytest.mark.parametrize("head", ["knn", "centroid", "linear"])
@pytest.mark.parametrize("name", ["triplet", "siamese"])
def test_classes_come_apart(fit, name, head):
    embedding = {"width": 8, "head": head, "neighbours": 3}
    table, fitted = fit(name, epochs=20, learning_rate=3e-3, embedding=embedding, class_weights="balanced")
    predicted_N = predict(fitted, table, np.arange(len(LABELS))).argmax(1)
    assert [fitted.classes[index] for index in predicted_N] == LABELS


@pytest.mark.parametrize("metric", [{"mining": "semi_hard"}, {"mining": "hard"}, {"squared": True}])
def test_every_way_of_training_tells_how_many_triplets_teach(fit, metric):
    history = fit(metric=metric)[1].history
    assert history["nonzero_triplets"].between(0, 1).all()
    assert np.isfinite(history["train_loss"]).all()


def test_cosine_distances_train_too(fit):
    table, fitted = fit(epochs=20, learning_rate=3e-3, embedding={"width": 8, "distance": "cosine"})
    predicted_N = predict(fitted, table, np.arange(len(LABELS))).argmax(1)
    assert np.mean([fitted.classes[index] == label for index, label in zip(predicted_N, LABELS, strict=True)]) > 0.9


def test_a_batch_has_as_many_anchor_positive_pairs_as_stated():
    settings = TrainingSettings.parse({**SMALL, "metric": {"pairs": 450}})
    task = MetricTask(build_model("triplet", 112, 0, 3, settings), settings, 1, 0)
    label_B = torch.arange(60) % 3
    anchor_T, positive_T, negative_T = task._triplets(torch.rand(60, 8), label_B)
    assert len(anchor_T) == 450
    assert (label_B[anchor_T] == label_B[positive_T]).all()
    assert (label_B[anchor_T] != label_B[negative_T]).all()
    assert (anchor_T != positive_T).all()


@pytest.mark.parametrize("squared", [False, True])
def test_loss_is_equation_4_of_a_plain_loop(squared):
    settings = TrainingSettings.parse({**SMALL, "metric": {"margin": 0.3, "squared": squared}})
    task = MetricTask(build_model("triplet", 112, 0, 3, settings), settings, 1, 0)
    embedding_BE, label_B = torch.rand(12, 8), torch.arange(12) % 3
    triplets = task._triplets(embedding_BE, label_B)
    losses = []
    for anchor, positive, negative in zip(*(part.tolist() for part in triplets), strict=True):
        ap, an = (float(torch.linalg.norm(embedding_BE[anchor] - embedding_BE[one])) for one in (positive, negative))
        losses.append(max((ap**2 - an**2 if squared else ap - an) + 0.3, 0))
    assert float(task.loss(embedding_BE, label_B, triplets)) == pytest.approx(np.mean(losses), abs=1e-5)


def test_mined_triplets_violate_the_margin():
    settings = TrainingSettings.parse({**SMALL, "metric": {"mining": "hard"}})
    task = MetricTask(build_model("triplet", 112, 0, 3, settings), settings, 1, 0)
    embedding_BE, label_B = torch.rand(12, 8), torch.arange(12) % 3
    for anchor, positive, negative in zip(
        *(part.tolist() for part in task._triplets(embedding_BE, label_B)), strict=True
    ):
        near, far = (torch.linalg.norm(embedding_BE[anchor] - embedding_BE[one]) for one in (negative, positive))
        assert near <= far + 1e-6


def test_an_epoch_holds_as_many_of_each_class():
    labels_N = np.array([0] * 90 + [1] * 9 + [2] * 3)
    order = EpochShuffle(102, 0, labels_N)
    seen_N = labels_N[list(order)]
    assert np.bincount(seen_N).tolist() == [34, 34, 34]
    assert len(set(np.array(list(order))[seen_N == 0])) == 34  # common rows take turns, none twice
    first = list(order)
    order.set_epoch(1)
    assert list(order) != first


def test_references_are_real_rows_and_few_of_each_class(fit):
    _, fitted = fit(embedding={"width": 8, "references": 5})
    assert torch.bincount(fitted.model.reference_label_R).tolist() == [5, 4, 5]  # dent, fold, mold


@pytest.mark.parametrize(("weights", "power"), [("none", 1), ("root", 0.5), ("balanced", 0)])
def test_how_often_a_class_is_met_is_its_prior(fit, weights, power):
    _, fitted = fit(class_weights=weights)
    prior_C = np.array([12, 4, 6.0]) ** power  # dent, fold, mold
    np.testing.assert_allclose(fitted.model.log_prior_C.exp(), prior_C / prior_C.sum(), atol=1e-6)


def test_a_collapse_stops_the_fit_and_says_so(fit, tmp_path):
    with pytest.raises(ModelError, match=r"embeddings must differ .*collapsed to one point; lower"):
        fit(patches=np.full((len(LABELS), 112, 112), 100, np.uint8), epochs=50)
    assert not any((tmp_path / "fits").iterdir())


def test_a_last_batch_of_one_row_hides_no_collapse(fit):
    labels = ["dent"] * 9 + ["mold"] * 8  # batches of 8, 8 and 1
    with pytest.raises(ModelError, match="collapsed to one point"):
        fit(labels=labels, patches=np.full((17, 112, 112), 100, np.uint8), epochs=3)


def test_a_class_with_one_sample_is_refused_by_name(fit):
    with pytest.raises(DataError, match=r"at least two samples of each class to train on, got one of \['fold'\]"):
        fit(labels=["dent"] * 4 + ["mold"] * 3 + ["fold"])


def test_samples_of_one_class_are_refused(fit):
    with pytest.raises(DataError, match="at least two classes"):
        fit(labels=["dent"] * 8)
