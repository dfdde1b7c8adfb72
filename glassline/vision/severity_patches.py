"""Training patches of images with their severity: turned, flipped, shifted, under other light.

Source: He and Liu 2020 (system E of the reading), section III.C.3. What changes how far a defect stands out, contrast,
is varied before severity is labelled; what does not, light and noise, after it.
Shapes: H x W pixels, P x P of a patch, D channels, R x C cells.
"""

import cv2
import numpy as np

from glassline.vision.annotated_images import Image, Mask, as_grey
from glassline.vision.patch_variation import contrasted, eight_bit, lit, placed, placement
from glassline.vision.severity import Real, label_severity


def severity_patch(
    image: Image, mask_HW: Mask, centre_xy: tuple[int, int], patch_px: int, cell_px: int,
    rng: np.random.Generator | None,
) -> tuple[Image, Real] | None:  # fmt: skip
    """Cut a patch around a pixel.

    Args:
        image: Grey (H, W) or colour (H, W, 3), 8 bit; of any size, mirrored beyond its rim.
        mask_HW: Its defects.
        centre_xy: Pixel at the middle of the patch, before anything is turned.
        patch_px: Edge of the patch.
        cell_px: Edge of a cell.
        rng: What the patch is varied by; None cuts it as it is.

    Returns:
        The patch, of the image's kind, and severity_RC of its cells; None where a defect leaves no clean cell to
        compare with.
    """
    across = placement(centre_xy, patch_px, rng)
    mask_PP = cv2.warpAffine(
        mask_HW.astype(np.uint8), across, (patch_px, patch_px), flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT_101,
    ) > 0  # fmt: skip
    levels = placed(image, across, patch_px).astype(np.float32)
    if rng is not None:
        levels = contrasted(levels, rng)
    grey_PP = as_grey(eight_bit(levels))
    if not mask_PP.any():
        severity_RC = np.zeros((patch_px // cell_px, patch_px // cell_px), np.float32)
    elif mask_PP.reshape(patch_px // cell_px, cell_px, -1, cell_px).any(axis=(1, 3)).all():
        return None
    else:
        severity_RC = np.asarray(label_severity(grey_PP, mask_PP, cell_px).severity_RC, np.float32)
    return eight_bit(levels if rng is None else lit(levels, rng)), severity_RC
