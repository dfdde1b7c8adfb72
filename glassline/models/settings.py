"""Settings of the models, apart from them: the command line checks settings without loading torch."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from glassline.data.storage import sha256_file
from glassline.settings import Settings

#: Edge of the patches that models read, px.
PATCH_PX = 112

#: How far an output of the severity detector looks beyond its cell, by the cell's edge, px, rounded up to whole cells:
#: what a tile needs around it to be exact.
HALO_PX = {4: 60, 2: 42, 1: 22}

#: The names of glassline.models.registry.MODELS; a test compares.
MODEL_NAMES = (
    "mlp", "cnn", "metadata", "ensemble_fusion", "ensemble_average", "ensemble_stacking", "triplet", "siamese",
    "transfer",
)  # fmt: skip

#: Those without convolutions to explain: they are compared, not exported.
WITHOUT_IMAGE_BRANCH = ("mlp", "metadata")

#: Those that are trained on distances and read classes from references.
METRIC_MODEL_NAMES = ("triplet", "siamese")

#: What networks are cross-validated beside, of glassline.training.comparators; they are not exported.
COMPARATOR_NAMES = ("knn", "naive_bayes", "svm")

#: The networks of glassline.models.segmenters.NETWORKS; a test compares.
NETWORK_NAMES = ("unet_nested", "unet_plain", "unet_resnet34")


class CnnSettings(Settings):
    """Shape of the image branch; the axes of the paper's Fig. 3."""

    filters: int = Field(16, ge=1, le=512, description="channels of every convolution")
    kernel_px: int = Field(3, ge=1, le=15, description="edge of a convolution kernel")
    pool_px: int = Field(2, ge=1, le=8, description="edge and stride of max pooling")
    depth: int = Field(2, ge=1, le=6, description="convolution-ReLU-maxpool pairs")


class EmbeddingSettings(Settings):
    """Latent space of the triplet and Siamese networks, and how classes are read from it."""

    width: int = Field(64, ge=1, le=4096, description="numbers of a patch's embedding")
    metadata: bool = Field(
        False, description="embed location and attributes beside the image; as published, the image alone"
    )
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of features that training hides from the latent space, where data is few"
    )
    distance: Literal["euclidean", "cosine"] = Field(
        "euclidean", description="distance of the triplet network; the Siamese one learns its own"
    )
    head: Literal["knn", "centroid", "linear"] = Field(
        "knn", description="how classes are read from embeddings: nearest references, nearest class mean, linear"
    )
    neighbours: int = Field(5, ge=1, le=1000, description="references that vote, of the head knn")
    references: int = Field(
        200, ge=1, le=100_000, description="references of a class at most, drawn from the training rows"
    )


class BackboneSettings(Settings):
    """Which network transfer learning starts from."""

    network: str = Field(
        "inception_v3", description="network by its name in torchvision, or timm/NAME, such as timm/resnet10t.c3_in1k"
    )
    weights: str = Field(
        "hub",
        min_length=1,
        description="weights it starts from: hub (random ones where that cannot be reached), random, or a file, "
        ".safetensors or .pth",
    )
    weights_sha256: str = Field(
        "", description="SHA-256 that the file must have; '' takes any. A run fills it in when it is submitted"
    )

    def pinned(self) -> "BackboneSettings":
        """Return the same with the hash of the file of weights that lies here: another file gives other results."""
        path = Path(self.weights)
        if self.weights_sha256 or not path.is_file():
            return self
        return self.model_copy(update={"weights": str(path.absolute()), "weights_sha256": sha256_file(path)})


class NetworkSettings(Settings):
    """Shape of a classifier."""

    cnn: CnnSettings = Field(CnnSettings(), description="shape of the image branch")
    embedding: EmbeddingSettings = Field(
        EmbeddingSettings(), description="latent space of triplet and siamese; other models have none"
    )
    backbone: BackboneSettings = Field(BackboneSettings(), description="network of transfer; other models have none")


class UnetSettings(Settings):
    """Which segmentation network, and how wide."""

    network: Literal["unet_nested", "unet_plain", "unet_resnet34"] = Field(
        "unet_nested", description="network, as in `glassline models`"
    )
    width: float = Field(1.0, ge=1 / 32, le=1, description="factor on all features; unet_resnet34 has but one width")
    block_px: Literal[1, 2] = Field(
        2, description="edge of the block that space to depth stacks: 2 for a Bayer mosaic, 1 for one grey channel"
    )


class DetectorSettings(Settings):
    """Shape of the severity detector."""

    cell_px: Literal[1, 2, 4] = Field(4, description="edge of a cell that gets one severity; 2 or 1 for thin defects")
    colour: bool = Field(False, description="read red, green and blue instead of grey; of image files only")


class TypeSettings(Settings):
    """Which network tells types of defects apart."""

    network: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] = Field(
        "resnet101", description="network, from random weights; smaller ones where data or time are few"
    )
    window_px: int = Field(
        64, ge=32, le=512, description="edge of its input; of the window too, which doubles until a defect fits"
    )
