"""What the simulated line-scan camera sees of a glass, and what may vary.

A millimetre is counted from the first pixel of the view: x across the belt, y along it.
"""

from typing import Literal

from pydantic import Field

from glassline.settings import Settings

#: View of one glass: 75 x 150 mm at 100 um a pixel.
PITCH_UM = 100.0
WIDTH_PX, HEIGHT_PX = 750, 1500

#: Edge of the window around a spot that holds no other spot, px.
WINDOW_PX = 112

#: Spots of a full glass; 72 windows would fit, so that 12 always find a place.
SPOTS_PER_GLASS = 12

#: Share of each class. Imbalanced as in the paper: the most are no defect, the fewest are folds.
SHARES = {"dent": 0.20, "mold": 0.15, "fold": 0.12, "control": 0.53}

CLASSES = tuple(SHARES)


class LineScanSettings(Settings):
    """What the simulated glasses are."""

    location: Literal["informative", "uninformative"] = Field(
        "informative", description="Whether each defect has its usual places, or all classes lie anywhere alike"
    )
    product: str = Field("glass", min_length=1, description="Product that the glasses are of")
    cycle: str = Field("1", min_length=1, description="Product cycle that the glasses are of")
    design: Literal["first", "second"] = Field(
        "first", description="Glass design: where its mould's gates are, and where it is pressed and bent"
    )
    light: float = Field(1.0, ge=0.3, le=1.6, description="Brightness of the light; 1 is the first product's")
    grain: float = Field(1.0, ge=0, le=20, description="Strength of the glass's own texture; 1 is the first product's")
    contrast: float = Field(1.0, gt=0, le=2, description="Contrast of marks; 1 is the first product's")
    mark_size: float = Field(1.0, ge=0.5, le=1.3, description="Size of marks; 1 is the first product's")


def second_product() -> LineScanSettings:
    """Return a later product: another glass under less light, other places, marks fainter and smaller."""
    return LineScanSettings(
        product="second", cycle="2", design="second", light=0.7, grain=4.0, contrast=0.75, mark_size=0.75
    )
