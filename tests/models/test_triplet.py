"""Triplet and Siamese networks: distances by hand, and classes read from references."""

import numpy as np
import pytest
import torch

from glassline.models.settings import EmbeddingSettings, NetworkSettings
from glassline.models.triplet import SiameseNetwork, TripletNetwork

#: Three classes on a line in a latent space of two numbers; the last has one reference.
REFERENCES_RE = torch.tensor([[0.1, 0.5], [0.2, 0.5], [0.5, 0.5], [0.6, 0.5], [0.9, 0.5]])
LABELS_R = torch.tensor([0, 0, 1, 1, 2])


def _network(kind=TripletNetwork, **embedding):
    torch.manual_seed(0)
    settings = NetworkSettings(embedding=EmbeddingSettings(width=2, **embedding))
    network = kind(16, 0, 3, settings).eval()
    network.refer(REFERENCES_RE, LABELS_R)
    return network


def _classify(network, embedding_BE):
    return network.classify(embedding_BE, network.references)


def test_embedding_lies_in_the_range_of_the_sigmoid():
    embedding_BE = _network().embed(torch.full((3, 16, 16), 255.0), torch.zeros(3, 0))
    assert embedding_BE.shape == (3, 2)
    assert ((embedding_BE > 0) & (embedding_BE < 1)).all()


@pytest.mark.parametrize(("metadata", "differs"), [(False, False), (True, True)])
def test_metadata_is_embedded_where_settings_say_so(metadata, differs):
    torch.manual_seed(0)
    settings = NetworkSettings(embedding=EmbeddingSettings(width=2, metadata=metadata))
    network, patch_BHW = TripletNetwork(16, 3, 3, settings).eval(), torch.zeros(1, 16, 16)
    one_BE, other_BE = (network.embed(patch_BHW, torch.full((1, 3), value)) for value in (0.0, 1.0))
    assert (not torch.equal(one_BE, other_BE)) == differs


def test_euclidean_distance_is_that_of_a_plain_loop():
    one_BE, other_RE = torch.rand(4, 2), torch.rand(5, 2)
    expected = [[np.linalg.norm(one - other) for other in other_RE.numpy()] for one in one_BE.numpy()]
    np.testing.assert_allclose(_network().distance(one_BE, other_RE), expected, atol=1e-6)


def test_cosine_distance_is_0_along_a_direction_and_1_across():
    distance_BR = _network(distance="cosine").distance(torch.tensor([[1.0, 0.0]]), torch.tensor([[3.0, 0], [0, 2]]))
    np.testing.assert_allclose(distance_BR, [[0, 1]], atol=1e-6)


def test_siamese_distance_is_the_negative_log_of_equation_1():
    network = _network(SiameseNetwork)
    one_BE, other_RE = torch.rand(3, 2), torch.rand(4, 2)
    weight, bias = network.alpha.weight.detach().numpy()[0], network.alpha.bias.item()
    for b, one in enumerate(one_BE.numpy()):
        for r, other in enumerate(other_RE.numpy()):
            same = 1 / (1 + np.exp(-(weight @ np.abs(one - other) + bias)))
            assert network.distance(one_BE, other_RE)[b, r].item() == pytest.approx(-np.log(same), abs=1e-5)


@pytest.mark.parametrize(("x", "expected"), [(0.12, 0), (0.58, 1), (0.95, 2)])
def test_the_nearest_reference_names_the_class(x, expected):
    logits_BC = _classify(_network(neighbours=1), torch.tensor([[x, 0.5]]))
    assert logits_BC.softmax(1)[0, expected].item() == pytest.approx(1, abs=1e-4)


def test_neighbours_vote_by_nearness():
    probability_C = _classify(_network(neighbours=3), torch.tensor([[0.3, 0.5]])).softmax(1)[0].numpy()
    weight = np.exp(
        -np.array([0.1, 0.2, 0.2])
    )  # of 0.2 (class 0), 0.5 (class 1) and 0.1 (class 0); two references each
    np.testing.assert_allclose(probability_C, [weight[:2].sum(), weight[2], 0] / weight.sum(), atol=1e-4)


def test_a_class_of_few_references_wins_among_many_voters():
    network = _network(neighbours=50)
    network.refer(torch.cat([torch.full((100, 2), 0.5), torch.full((5, 2), 0.6)]), torch.tensor([0] * 100 + [1] * 5))
    network.log_prior_C = torch.zeros(3)
    assert _classify(network, torch.tensor([[0.6, 0.6], [0.5, 0.5]])).argmax(1).tolist() == [1, 0]


@pytest.mark.parametrize("head", ["knn", "centroid"])
def test_a_class_without_references_is_never_named(head):
    network = _network(head=head, neighbours=3)
    network.refer(REFERENCES_RE[2:], LABELS_R[2:])  # none of class 0, whose mean would be the origin
    assert 0 not in _classify(network, torch.tensor([[0.0, 0.0], [0.1, 0.1]])).argmax(1).tolist()


def test_a_common_class_wins_a_tie():
    network = _network(neighbours=2)
    network.log_prior_C = torch.tensor([0.1, 0.8, 0.1]).log()
    assert _classify(network, torch.tensor([[0.35, 0.5]])).argmax(1).tolist() == [1]  # between 0.2 and 0.5


def test_more_neighbours_than_references_are_all_of_them():
    probability_C = _classify(_network(neighbours=99), torch.tensor([[0.3, 0.5]])).softmax(1)[0]
    assert (probability_C > 0.1).all()


def test_the_nearest_mean_names_the_class():
    network = _network(head="centroid")
    logits_BC = _classify(network, torch.tensor([[0.34, 0.5], [0.36, 0.5], [0.74, 0.5]]))
    assert logits_BC.argmax(1).tolist() == [0, 1, 2]


def test_references_come_back_whatever_their_number():
    network, other = _network(), _network()
    other.refer(torch.rand(9, 2), torch.arange(9) % 3)
    network.load_state_dict(other.state_dict())
    assert torch.equal(network.reference_RE, other.reference_RE)
    assert torch.equal(network.reference_label_R, other.reference_label_R)


def test_an_embedding_without_width_is_refused():
    with pytest.raises(ValueError, match="width"):
        EmbeddingSettings(width=0)
