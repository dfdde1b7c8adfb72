"""Severity detector: a short residual network that gives each cell of an image its severity.

Source: He and Liu 2020 (system E of the reading), section III.B.1, Tables 1 to 3, Fig. 3 and 4. The fourth convolution
of a stage is the projection of its first residual sum.
Shapes: B images, D channels (1 grey, 3 colour), H x W pixels, R x C cells of q x q px, F features.
"""

from torch import Tensor, nn

from glassline.models.settings import DetectorSettings

_FIRST, _HEAD = 16, 512
#: Features inside and at the end of both stages (Tables 2 and 3).
_STAGES = ((8, 32), (16, 64))


class Ahead(nn.Sequential):
    """Batch normalisation and ReLU ahead of a convolution of the same size."""

    def __init__(self, inputs: int, outputs: int, kernel_px: int) -> None:
        """Build it for `inputs` and `outputs` features."""
        super().__init__(
            nn.BatchNorm2d(inputs), nn.ReLU(),
            nn.Conv2d(inputs, outputs, kernel_px, padding=kernel_px // 2, bias=False),
        )  # fmt: skip


class Stage(nn.Module):
    """The seven convolutions of Table 2 or 3: two residual units, the first with a projection."""

    def __init__(self, inputs: int, narrow: int, wide: int) -> None:
        """Build a stage of `wide` features with `narrow` ones inside."""
        super().__init__()
        self.first = nn.Sequential(Ahead(inputs, narrow, 1), Ahead(narrow, narrow, 5), Ahead(narrow, wide, 5))
        self.projection = Ahead(inputs, wide, 1)
        self.second = nn.Sequential(Ahead(wide, narrow, 1), Ahead(narrow, narrow, 5), Ahead(narrow, wide, 5))

    def forward(self, x_BFHW: Tensor) -> Tensor:
        """Return (B, wide, H, W)."""
        x_BFHW = self.projection(x_BFHW) + self.first(x_BFHW)
        y_BFHW: Tensor = x_BFHW + self.second(x_BFHW)
        return y_BFHW


class SeverityDetector(nn.Module):
    """Images in, severity of each cell out; fully convolutional."""

    def __init__(self, channels: int, cell_px: int) -> None:
        """Build a detector.

        Args:
            channels: 1 grey, 3 colour (red, green, blue).
            cell_px: Edge of a cell: 4 as published, 2 or 1 for thin defects, where a pooling keeps its size.
        """
        super().__init__()
        (narrow_1, wide_1), (narrow_2, wide_2) = _STAGES
        self.cell_px = cell_px
        self.first = nn.Conv2d(channels, _FIRST, 5, padding=2, bias=False)
        self.pool_1 = _pool(2 if cell_px >= 2 else 1)
        self.entry = Ahead(_FIRST, _FIRST, 3)
        self.stage_1 = Stage(_FIRST, narrow_1, wide_1)
        self.pool_2 = _pool(2 if cell_px == 4 else 1)
        self.stage_2 = Stage(wide_1, narrow_2, wide_2)
        self.head = nn.Sequential(Ahead(wide_2, _HEAD, 3), nn.ReLU(), nn.Conv2d(_HEAD, 1, 1))

    def forward(self, image_BDHW: Tensor) -> Tensor:
        """Return severity (B, R, C), unbounded, of images scaled to [-1, 1]; H and W multiples of the cell."""
        x_BFHW = self.entry(self.pool_1(self.first(image_BDHW)))
        x_BFHW = self.stage_2(self.pool_2(self.stage_1(x_BFHW)))
        severity_BRC: Tensor = self.head(x_BFHW)[:, 0]
        return severity_BRC


def _pool(stride: int) -> nn.AvgPool2d:
    # What lies beyond the rim is no pixel: a mean over fewer, not a darker one.
    return nn.AvgPool2d(3, stride, padding=1, count_include_pad=False)


def build_detector(settings: DetectorSettings) -> SeverityDetector:
    """Build the detector that settings name."""
    return SeverityDetector(3 if settings.colour else 1, settings.cell_px)
