"""The candidates of one image with the patches that models read: the same for training and for the line.

Shapes: H x W pixels of the image or a patch.
"""

from typing import NamedTuple

from pydantic import Field

from glassline.data.images import DepthWindow
from glassline.settings import Settings
from glassline.vision.candidates import (
    Candidate,
    CandidateSettings,
    crop_candidate,
    dark_field_candidates,
    find_candidates,
)
from glassline.vision.glass import Mask
from glassline.vision.normalise import Grey, normalise

#: Grey levels of 12 that become 0 and 255; in a wider window faint marks fade (simulated glasses of seed 100).
DARK_FIELD_WINDOW = (0, 1500)


class ExtractSettings(Settings):
    """How patches are made of images."""

    candidates: CandidateSettings = Field(CandidateSettings(), description="how candidates are found and cropped")
    depth_window: DepthWindow | None = Field(
        None, description="grey levels [low, high] of a 12- or 16-bit image that become 0 and 255"
    )
    light_state: int | None = Field(
        None, ge=0, description="light state of captures to look at; none: the maximum over all of them"
    )
    normalise_px: float = Field(
        24.0,
        ge=0,
        description="Gaussian sigma of the flat field taken out of patches, px; 0 leaves grey levels as they are",
    )
    systematic: bool = Field(
        False, description="find what repeats in place over the images (reflections, hot pixels) and ignore it"
    )
    min_overlap: float = Field(
        0.3, gt=0, le=1, description="overlap with an annotated defect from which a candidate is trained as that defect"
    )


def dark_field_extract() -> ExtractSettings:
    """Return the preset of the dark-field rig: the brightest light state, 12 bit by a window that keeps faint marks."""
    return ExtractSettings(candidates=dark_field_candidates(), depth_window=DARK_FIELD_WINDOW)


class CandidatePatch(NamedTuple):
    """A candidate, its patch, and where that was cut: x, y and edge in px."""

    candidate: Candidate
    patch_HW: Grey
    crop_px: tuple[int, int, int]


def extract_candidates(
    grey_HW: Grey, settings: ExtractSettings, systematic_HW: Mask | None = None
) -> list[CandidatePatch]:
    """Find the candidates of an image and cut their patches, from pixels alone.

    Args:
        grey_HW: Grey image, 0 to 255.
        settings: How to extract.
        systematic_HW: True where the rig itself leaves a mark.

    Returns:
        The candidates, strongest first.

    Raises:
        DataError: See `find_candidates`.
    """
    candidates = find_candidates(grey_HW, settings.candidates, systematic_HW)
    # Patches of two optical systems must look alike: flat field and grey levels are matched before cropping.
    seen_HW = normalise(grey_HW, settings.normalise_px) if settings.normalise_px else grey_HW
    return [CandidatePatch(one, *crop_candidate(seen_HW, one, settings.candidates)) for one in candidates]
