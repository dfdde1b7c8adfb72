"""Triplet and Siamese networks: patches of one class lie near each other, and references near a patch name its class.

Source: system B of the reading (deep metric network), section 3.2, eq. 1 to 4. The width of the latent space and how a
class is read from it are not printed: 64 and the nearest references are our guess. The encoder is system A's image
branch, so that both methods see the same.
Shapes: B patches, H x W pixels, M metadata values, E numbers of an embedding, R references, C classes.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from glassline.models.cnn import HIDDEN, ImageBranch
from glassline.models.metadata import MetadataBranch
from glassline.models.settings import NetworkSettings

#: Buffers whose length is that of the reference set.
_OF_REFERENCES = ("reference_RE", "reference_label_R")
# What an opinion that no reference holds counts.
_LEAST_PROBABILITY = 1e-6
# Beyond every distance of the latent space.
_FAR = 1e6


class References(NamedTuple):
    """What classes are read from: the heads `knn` and `centroid` take any number of references and of classes.

    Attributes:
        embedding_RE: Embeddings of the references.
        member_RC: 1 where a reference is of a class, else 0.
        log_prior_C: Log of how often a class is met: references say nothing of that.
    """

    embedding_RE: Tensor
    member_RC: Tensor
    log_prior_C: Tensor


class EmbeddingNetwork(nn.Module, ABC):
    """Encoder with a sigmoid latent space (eq. 3), and the references that classes are read from.

    References are buffers, so they travel with the weights; an exported graph is handed them. Untrained, each class has
    the origin as its one reference.
    """

    reference_RE: Tensor
    reference_label_R: Tensor
    log_prior_C: Tensor

    def __init__(self, patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> None:
        """Build it for square patches of `patch_px`, `metadata` columns and `classes` classes."""
        super().__init__()
        self.settings, self.classes = settings.embedding, classes
        self.image = ImageBranch(patch_px, settings.cnn)
        features = self.image.features
        if self.settings.metadata:
            self.squeeze, self.metadata = nn.Linear(features, HIDDEN[0]), MetadataBranch(metadata)
            features = HIDDEN[0] + self.metadata.features
        self.dropout = nn.Dropout(self.settings.dropout)
        self.latent = nn.Linear(features, self.settings.width)
        self.register_buffer("reference_RE", torch.zeros(classes, self.settings.width))
        self.register_buffer("reference_label_R", torch.arange(classes))
        self.register_buffer("log_prior_C", torch.zeros(classes))
        # The head `linear`; fitted on the references, never by the metric loss.
        self.last = nn.Linear(self.settings.width, classes).requires_grad_(False)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return embeddings (B, E) in (0, 1); metadata is looked at where settings say so."""
        features_BF = self.image(patch_BHW)
        if self.settings.metadata:
            features_BF = torch.cat([torch.relu(self.squeeze(features_BF)), self.metadata(metadata_BM)], dim=1)
        return torch.sigmoid(self.latent(self.dropout(features_BF)))

    @abstractmethod
    def distance(self, one_BE: Tensor, other_RE: Tensor) -> Tensor:
        """Return how far each embedding is from each other one (B, R), >= 0."""

    def refer(self, embedding_RE: Tensor, label_R: Tensor) -> None:
        """Take embeddings and class indices as the references."""
        self.reference_RE, self.reference_label_R = embedding_RE.detach(), label_R

    @property
    def references(self) -> References:
        """The references of the buffers."""
        member_RC = functional.one_hot(self.reference_label_R, self.classes).to(self.reference_RE)
        return References(self.reference_RE, member_RC, self.log_prior_C)

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); grey levels in [0, 255]."""
        return self.classify(self.embed(patch_BHW, metadata_BM), self.references)

    def classify(self, embedding_BE: Tensor, references: References) -> Tensor:
        """Return logits (B, C) of embeddings, by the head that settings name; a nearest mean knows no prior.

        Args:
            embedding_BE: What is judged.
            references: At least as many as neighbours vote; the head `linear` looks at its prior alone.
        """
        if self.settings.head == "linear":
            return cast(Tensor, self.last(embedding_BE)) + references.log_prior_C
        count_C = references.member_RC.sum(0)
        if self.settings.head == "centroid":
            mean_CE = references.member_RC.T @ references.embedding_RE / count_C.clamp(min=1).unsqueeze(1)
            # A class without references has no mean: it is farther than any distance here.
            return -self.distance(embedding_BE, mean_CE) - _FAR * (count_C == 0)
        near_BK, index_BK = self.distance(embedding_BE, references.embedding_RE).topk(self.voters, largest=False)
        # A vote weighs by nearness; smooth, so that a map of what speaks for a class has a gradient. A class of few
        # references has as much to say as one of many: a class enrolled from five would never win among fifty voters.
        vote_BC = ((-near_BK).softmax(1).unsqueeze(2) * references.member_RC[index_BK]).sum(1)
        share_BC = vote_BC / count_C.clamp(min=1)
        share_BC = share_BC / share_BC.sum(1, keepdim=True)
        return share_BC.clamp(min=_LEAST_PROBABILITY).log() + references.log_prior_C

    @property
    def voters(self) -> int:
        """How many references vote, of the head `knn`: all of them where there are no more."""
        return min(self.settings.neighbours, len(self.reference_RE))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *more: Any) -> None:
        """Take as many references as are stored."""
        for name in _OF_REFERENCES:
            if prefix + name in state_dict:
                setattr(self, name, torch.empty_like(state_dict[prefix + name]))
        super()._load_from_state_dict(state_dict, prefix, *more)


class TripletNetwork(EmbeddingNetwork):
    """Trained on eq. 4: an anchor is nearer to its class than to another by a margin."""

    def distance(self, one_BE: Tensor, other_RE: Tensor) -> Tensor:
        """Return Euclidean distances (B, R), or 1 - cosine in [0, 2]."""
        if self.settings.distance == "cosine":
            return 1 - functional.normalize(one_BE) @ functional.normalize(other_RE).T
        return cast(Tensor, torch.linalg.vector_norm(one_BE.unsqueeze(1) - other_RE, dim=2))


class SiameseNetwork(EmbeddingNetwork):
    """Trained on eq. 1: the probability that two patches are of one class."""

    def __init__(self, patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> None:
        """Build it; see `EmbeddingNetwork`."""
        super().__init__(patch_px, metadata, classes, settings)
        self.alpha = nn.Linear(self.settings.width, 1)

    def same(self, one_BE: Tensor, other_BE: Tensor) -> Tensor:
        """Return the logit of "one class" of pairs (...), eq. 1 before its sigmoid; shapes (..., E) broadcast."""
        return cast(Tensor, self.alpha((one_BE - other_BE).abs()).squeeze(-1))

    def distance(self, one_BE: Tensor, other_RE: Tensor) -> Tensor:
        """Return the negative log probability of "one class" (B, R): exp(-distance) is eq. 1."""
        return functional.softplus(-self.same(one_BE.unsqueeze(1), other_RE))


def build_triplet(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> TripletNetwork:
    """Build the triplet network."""
    return TripletNetwork(patch_px, metadata, classes, settings)


def build_siamese(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> SiameseNetwork:
    """Build the Siamese network."""
    return SiameseNetwork(patch_px, metadata, classes, settings)
