"""Image branch and vanilla CNN: two convolution-ReLU-maxpool pairs and a small perceptron.

Source: system A of the reading (CNN ensemble with location metadata), section 3.2, eq. 1 to 4. Its text
gives 32 filters of 1 x 2 and its tuning ends at "16, 2x2, and 3x3, respectively" for channels and
kernel: that 3 x 3 is the kernel and 2 x 2 the pool is our guess, and the default here.
Shapes: B patches, H x W pixels, M metadata values, F features, C classes.
"""

from typing import cast

from torch import Tensor, nn
from torch.nn import functional

from glassline.errors import SettingsError
from glassline.models.settings import CnnSettings, NetworkSettings

#: Layer widths of the perceptron between features and classes (section 3.2).
HIDDEN = (128, 64)


class ScalePatch(nn.Module):
    """Map grey levels [0, 255] to [-1, 1] and add the channel axis."""

    def forward(self, patch_BHW: Tensor) -> Tensor:
        """Return (B, 1, H, W) in [-1, 1]."""
        return patch_BHW.unsqueeze(1) / 127.5 - 1.0


class EvenConvolution(nn.Conv2d):
    """Convolution whose kernel has an even edge; its maps are as large as its input, which torch warns of doing."""

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, F, H, W), the middle of a kernel up and left of its centre."""
        before, after = (self.kernel_size[0] - 1) // 2, self.kernel_size[0] // 2
        padded = functional.pad(input, (before, after, before, after))
        return functional.conv2d(padded, self.weight, self.bias)


def perceptron(features: int, classes: int) -> nn.Sequential:
    """Build the 128-64-C perceptron; `features` is its input width."""
    wide, narrow = HIDDEN
    return nn.Sequential(
        nn.Linear(features, wide), nn.ReLU(), nn.Linear(wide, narrow), nn.ReLU(), nn.Linear(narrow, classes)
    )


class ImageBranch(nn.Module):
    """Convolution-ReLU-maxpool pairs over one grey patch, flattened."""

    def __init__(self, patch_px: int, settings: CnnSettings) -> None:
        """Build the pairs; `patch_px` is the edge of the input patch.

        Raises:
            SettingsError: Pooling leaves nothing of the patch.
        """
        super().__init__()
        layers: list[nn.Module] = []
        channels, edge_px = 1, patch_px
        for _ in range(settings.depth):
            if settings.kernel_px % 2:
                convolution = nn.Conv2d(channels, settings.filters, settings.kernel_px, padding="same")
            else:
                convolution = EvenConvolution(channels, settings.filters, settings.kernel_px)
            # Pooling before ReLU gives the same maps as after it, on a quarter of the values.
            layers += [convolution, nn.MaxPool2d(settings.pool_px), nn.ReLU()]
            channels, edge_px = settings.filters, edge_px // settings.pool_px
        if not edge_px:
            raise SettingsError(
                f"pool_px ** depth must be <= {patch_px}, the patch's edge in px, got {settings.pool_px} ** "
                f"{settings.depth}; lower cnn.pool_px or cnn.depth"
            )
        self.scale = ScalePatch()
        self.pairs = nn.Sequential(*layers)
        self.features = channels * edge_px * edge_px

    @property
    def last_convolution(self) -> nn.Module:
        """The layer whose activations a class activation map reads."""
        return self.pairs[-3]

    def forward(self, patch_BHW: Tensor) -> Tensor:
        """Return features (B, F)."""
        return cast(Tensor, self.pairs(self.scale(patch_BHW)).flatten(1))


class VanillaCnn(nn.Module):
    """Image branch and perceptron; looks at no metadata."""

    def __init__(self, patch_px: int, classes: int, settings: CnnSettings) -> None:
        """Build it for square patches of `patch_px` and `classes` outputs."""
        super().__init__()
        self.image = ImageBranch(patch_px, settings)
        self.head = perceptron(self.image.features, classes)

    def embed(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return the activations before the last layer (B, 64)."""
        return cast(Tensor, self.head[:-1](self.image(patch_BHW)))

    def forward(self, patch_BHW: Tensor, metadata_BM: Tensor) -> Tensor:
        """Return logits (B, C); grey levels in [0, 255]."""
        return cast(Tensor, self.head[-1](self.embed(patch_BHW, metadata_BM)))


def build_cnn(patch_px: int, metadata: int, classes: int, settings: NetworkSettings) -> VanillaCnn:
    """Build the vanilla CNN; `metadata` is the number of columns it will be handed and ignores."""
    return VanillaCnn(patch_px, classes, settings.cnn)
