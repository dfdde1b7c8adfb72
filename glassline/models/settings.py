"""Settings of the models, apart from them: the command line checks settings without loading torch."""

from pydantic import Field

from glassline.settings import Settings

#: Edge of the patches that models read, px.
PATCH_PX = 112

#: The names of glassline.models.registry.MODELS; a test compares.
MODEL_NAMES = ("mlp", "cnn", "metadata", "ensemble_fusion", "ensemble_average", "ensemble_stacking")


class CnnSettings(Settings):
    """Shape of the image branch; the axes of the paper's Fig. 3."""

    filters: int = Field(16, ge=1, le=512, description="channels of every convolution")
    kernel_px: int = Field(3, ge=1, le=15, description="edge of a convolution kernel")
    pool_px: int = Field(2, ge=1, le=8, description="edge and stride of max pooling")
    depth: int = Field(2, ge=1, le=6, description="convolution-ReLU-maxpool pairs")
