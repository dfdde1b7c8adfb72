"""Ensemble of an image branch and a metadata branch: where the defect is, beside what it looks like.

Source: system A of the reading, section 3.1 and Table 4 ("a separate model for embedding location
information", ensembled with the image model; a "fusion network" by its conclusion). The metadata branch's
widths and the three ways of joining are not printed: fusion of features is our default.
Shapes: B patches, H x W pixels, M metadata values, F features, C classes.
"""

from typing import cast

import torch
from torch import Tensor, nn

from glassline.models.cnn import HIDDEN, ImageBranch, perceptron
from glassline.models.metadata import MetadataBranch
from glassline.models.settings import CnnSettings, NetworkSettings


class FusionEnsemble(nn.Module):
    """Concatenate what the image perceptron and the metadata branch see, then classify."""

    def __init__(self, patch_px: int, metadata: int, classes: int, settings: CnnSettings) -> None:
        """Build both branches and the joint head."""
        super().__init__()
        wide, narrow = HIDDEN
        self.image = ImageBranch(patch_px, settings)
        self.squeeze = nn.Sequential(nn.Linear(self.image.features, wide), nn.ReLU())
        self.metadata = MetadataBranch(metadata)
        self.joint = nn.Sequential(nn.Linear(wide + self.metadata.features, narrow), nn.ReLU())
        self.last = nn.Linear(narrow, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return the activations before the last layer (B, 64)."""
        both_BF = torch.cat([self.squeeze(self.image(patch_BHW)), self.metadata(metadata_BM)], dim=1)
        return cast(Tensor, self.joint(both_BF))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); grey levels in [0, 255], metadata in its own units."""
        return cast(Tensor, self.last(self.embed(patch_BHW, metadata_BM)))


class _TwoOpinions(nn.Module):
    """One classifier per branch."""

    def __init__(self, patch_px: int, metadata: int, classes: int, settings: CnnSettings) -> None:
        super().__init__()
        self.image = ImageBranch(patch_px, settings)
        self.image_head = perceptron(self.image.features, classes)
        self.metadata = MetadataBranch(metadata)
        self.metadata_head = nn.Linear(self.metadata.features, classes)

    def opinions(self, patch_BHW: Tensor, metadata_BM: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits (B, C) of the image branch and of the metadata branch."""
        return self.image_head(self.image(patch_BHW)), self.metadata_head(self.metadata(metadata_BM))

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return both branches' last activations side by side (B, 128)."""
        return torch.cat([self.image_head[:-1](self.image(patch_BHW)), self.metadata(metadata_BM)], dim=1)


class AverageEnsemble(_TwoOpinions):
    """Average the two branches' class probabilities."""

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return log probabilities (B, C)."""
        image_BC, metadata_BC = self.opinions(patch_BHW, metadata_BM)
        return ((image_BC.softmax(1) + metadata_BC.softmax(1)) / 2).clamp(min=1e-12).log()


class StackingEnsemble(_TwoOpinions):
    """Weigh the two branches by a logistic regression on their log probabilities.

    The branches train on their own losses; the weights of `stack` are fitted afterwards on samples that
    the branches have not seen (`training.loop`), else the branch that overfits most would win.
    """

    def __init__(self, patch_px: int, metadata: int, classes: int, settings: CnnSettings) -> None:
        """Build both branches; before it is fitted, the stack adds their log probabilities."""
        super().__init__(patch_px, metadata, classes, settings)
        self.stack = nn.Linear(2 * classes, classes)
        with torch.no_grad():
            self.stack.weight.copy_(torch.cat([torch.eye(classes), torch.eye(classes)], dim=1))
            self.stack.bias.zero_()
        self.stack.requires_grad_(False)

    def stacked_inputs(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return both branches' log probabilities side by side (B, 2C), at least -12."""
        image_BC, metadata_BC = self.opinions(patch_BHW, metadata_BM)
        return torch.cat([image_BC.log_softmax(1), metadata_BC.log_softmax(1)], dim=1).clamp(min=-12.0)

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C)."""
        return cast(Tensor, self.stack(self.stacked_inputs(patch_BHW, metadata_BM)))


def build_fusion(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> FusionEnsemble:
    """Build the feature-fusion ensemble."""
    return FusionEnsemble(patch_px, metadata, classes, settings.cnn)


def build_average(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> AverageEnsemble:
    """Build the probability-average ensemble."""
    return AverageEnsemble(patch_px, metadata, classes, settings.cnn)


def build_stacking(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> StackingEnsemble:
    """Build the stacking ensemble."""
    return StackingEnsemble(patch_px, metadata, classes, settings.cnn)
