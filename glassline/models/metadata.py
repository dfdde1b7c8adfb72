"""Metadata branch: embeds where a candidate lies and what its attributes are; alone, a classifier without image.

Source: system A of the reading, section 3.1 ("a separate model for embedding location information"); its widths
are not printed.
Shapes: B patches, H x W pixels, M metadata values, F features, C classes.
"""

from typing import cast

import torch
from torch import Tensor, nn

from glassline.models.settings import NetworkSettings

_METADATA_WIDTH = 64


class StandardiseMetadata(nn.Module):
    """Subtract the training mean, divide by the training deviation, put 0 where a value is unknown (NaN).

    Mean and deviation are buffers, so they travel inside the exported graph.
    """

    mean_M: Tensor
    deviation_M: Tensor

    def __init__(self, metadata: int) -> None:
        """Start as the identity on `metadata` columns."""
        super().__init__()
        self.register_buffer("mean_M", torch.zeros(metadata))
        self.register_buffer("deviation_M", torch.ones(metadata))

    def fit(self, metadata_NM: Tensor) -> None:
        """Take mean and deviation from training rows; constant or unknown columns become 0."""
        metadata_NM = metadata_NM.double()  # in single precision, a large constant would show a deviation
        known_NM = ~metadata_NM.isnan()
        count_M = known_NM.sum(0).clamp(min=1)
        filled_NM = metadata_NM.nan_to_num(0.0)
        mean_M = filled_NM.sum(0) / count_M
        variance_M = (((filled_NM - mean_M) * known_NM) ** 2).sum(0) / count_M
        self.mean_M.copy_(mean_M)
        self.deviation_M.copy_(torch.where(variance_M > 1e-12, variance_M.sqrt(), torch.inf))

    def forward(self, metadata_BM: Tensor) -> Tensor:
        """Return (B, M) in standard deviations, clipped to [-5, 5]."""
        return ((metadata_BM - self.mean_M) / self.deviation_M).nan_to_num(0.0).clamp(-5.0, 5.0)


class MetadataBranch(nn.Module):
    """Embed location and candidate attributes."""

    def __init__(self, metadata: int, dropout: float = 0.2) -> None:
        """Build two layers of 64 over `metadata` columns."""
        super().__init__()
        self.standardise = StandardiseMetadata(metadata)
        self.layers = nn.Sequential(
            nn.Linear(metadata, _METADATA_WIDTH),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(_METADATA_WIDTH, _METADATA_WIDTH),
            nn.ReLU(),
        )
        self.features = _METADATA_WIDTH

    def forward(self, metadata_BM: Tensor) -> Tensor:
        """Return features (B, F)."""
        return cast(Tensor, self.layers(self.standardise(metadata_BM)))


class MetadataClassifier(nn.Module):
    """Metadata branch and one linear layer; looks at no pixel."""

    def __init__(self, metadata: int, classes: int) -> None:
        """Build it for `metadata` columns and `classes` outputs."""
        super().__init__()
        self.metadata = MetadataBranch(metadata)
        self.last = nn.Linear(self.metadata.features, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return the activations before the last layer (B, 64)."""
        return cast(Tensor, self.metadata(metadata_BM))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); metadata in its own units."""
        return cast(Tensor, self.last(self.embed(patch_BHW, metadata_BM)))


def build_metadata(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> MetadataClassifier:
    """Build the metadata classifier; it reads no patch, so `patch_px` and `settings` change nothing."""
    return MetadataClassifier(metadata, classes)
