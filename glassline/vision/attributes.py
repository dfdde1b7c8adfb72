"""Attributes of candidates: what the metadata branch reads beside the location.

Every number comes from the image alone, is finite, and does not change when the image is mirrored.

Shapes: H x W pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

from glassline.vision.normalise import Grey, Real, smooth

Mask = npt.NDArray[np.bool_]
Box = tuple[int, int, int, int]

_BANDS_PX = (2, 8, 32)
_RIM_PX = 16
_NTH = (60, 300)


def describe_blob(grey_HW: Grey, maps: dict[str, Real], box: Box, mask_HW: Mask) -> dict[str, float]:
    """Describe one segmented blob: size, shape, contrast, texture, place.

    Args:
        grey_HW: The whole image.
        maps: Salience maps by name, `fine` among them.
        box: Left, top, width, height in pixels.
        mask_HW: Segmentation inside the box.

    Returns:
        Attribute name to value.
    """
    x, y, width_px, height_px = box
    height, width = grey_HW.shape
    inside = np.s_[y : y + height_px, x : x + width_px]
    told = _shape(mask_HW) | _look(grey_HW, box, mask_HW)
    z = maps["fine"][inside][mask_HW]
    told |= {
        "contrast": _log(float(np.abs(z).mean())),
        "brightest": _log(float(z.max())),
        "darkest": _log(float(z.min())),
        "contrast_spread": float(z.std() / (np.abs(z).mean() + 1e-3)),
        "dark_share": float((z < 0).mean()),
        "border_log": float(np.log1p(min(x, width - x - width_px, y, height - y - height_px))),
        "off_centre_x": abs(x + width_px / 2 - width / 2) / width,
        "off_centre_y": abs(y + height_px / 2 - height / 2) / height,
        "width_share": width_px / width,
        "height_share": height_px / height,
    }
    return told | {f"mean_{name}": _log(float(z_HW[inside][mask_HW].mean())) for name, z_HW in maps.items()}


def _log(value: float) -> float:
    """Return sign(v) log(1 + |v|): contrasts have long tails, which networks dislike."""
    return float(np.sign(value) * np.log1p(abs(value)))


def _look(grey_HW: Grey, box: Box, mask_HW: Mask) -> dict[str, float]:
    """Compare grey level and texture of a blob with its surroundings, all as logs of ratios."""
    x, y, width_px, height_px = box
    pad = max(8, max(width_px, height_px) // 4)
    top, left = max(y - pad, 0), max(x - pad, 0)
    around_HW = grey_HW[top : y + height_px + pad, left : x + width_px + pad].astype(np.float32)
    own_HW = np.zeros(around_HW.shape, np.bool_)
    own_HW[y - top : y - top + height_px, x - left : x - left + width_px] = mask_HW
    if own_HW.all():
        own_HW[0] = False
    wide_HW = cv2.dilate(own_HW.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    outline_HW = wide_HW & ~(cv2.erode(own_HW.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    step_x_HW = np.abs(cv2.Sobel(around_HW, cv2.CV_32F, 1, 0, scale=1 / 8))
    step_y_HW = np.abs(cv2.Sobel(around_HW, cv2.CV_32F, 0, 1, scale=1 / 8))

    def ratio(image_HW: Real, part_HW: Mask, other_HW: Mask) -> float:
        if not part_HW.any() or not other_HW.any():
            return 0.0
        return float(np.log((image_HW[part_HW].mean() + 1.0) / (image_HW[other_HW].mean() + 1.0)))

    return {
        "grey_ratio": ratio(around_HW, own_HW, ~own_HW),
        "texture_x_ratio": ratio(step_x_HW, own_HW, ~wide_HW),
        "texture_y_ratio": ratio(step_y_HW, own_HW, ~wide_HW),
        "outline_x_ratio": ratio(step_x_HW, outline_HW, ~wide_HW),
        "outline_y_ratio": ratio(step_y_HW, outline_HW, ~wide_HW),
        "around_grey": float(np.log1p(around_HW.mean())),
        "around_spread": float(around_HW.std() / (around_HW.mean() + 1.0)),
        "around_black_share": float((around_HW < 12).mean()),
    }


def _shape(mask_HW: Mask) -> dict[str, float]:
    """Return size and shape of a segmentation."""
    height_px, width_px = mask_HW.shape
    area = float(mask_HW.sum())
    contours, _ = cv2.findContours(mask_HW.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len)
    hull = cv2.convexHull(contour)
    # Contour areas run through pixel centres; half the perimeter and one pixel make up for it.
    hull_area = cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1
    perimeter = cv2.arcLength(contour, True)
    # By sums, not by np.cov: its matrix product rounds differently from one build of BLAS, or number of threads, to
    # another, and the last digit would change the content hash of the patches.
    y_N, x_N = (at_N - at_N.mean() for at_N in np.nonzero(mask_HW))
    cov = np.array([[(a_N * b_N).mean() for b_N in (x_N, y_N)] for a_N in (x_N, y_N)])
    minor, major = np.sqrt(np.maximum(np.linalg.eigvalsh(cov + np.eye(2) / 12), 0))
    return {
        "area_log": float(np.log(area)),
        "width_log": float(np.log(width_px)),
        "height_log": float(np.log(height_px)),
        "aspect_log": float(np.log(width_px / height_px)),
        "elongation_log": float(np.log(major / minor)),
        "uprightness": float((cov[1, 1] - cov[0, 0]) / (cov[1, 1] + cov[0, 0] + 1e-6)),
        "length_log": float(np.log(4 * major)),
        "thickness_log": float(np.log(4 * minor)),
        "solidity": area / hull_area,
        "extent": area / (width_px * height_px),
        "roundness": float(min(4 * np.pi * area / max(perimeter, 1.0) ** 2, 2.0)),
    }


def describe_image(grey_HW: Grey, maps: dict[str, Real], strengths: list[float]) -> dict[str, float]:
    """Describe the image that a candidate lies in: how salient its worst places are, and its unevenness.

    What tells one part from another (its size, its mean grey) is left out on purpose: a model could learn
    the part by heart instead of the defect.

    Args:
        grey_HW: The whole image.
        maps: Salience maps by name.
        strengths: Strength of each candidate.

    Returns:
        Attribute name to value, each name starting with `image_`.
    """
    told = {
        "candidates": float(len(strengths)),
        "second_log": float(np.log1p(strengths[1])) if len(strengths) > 1 else 0.0,
    }
    for name, z_HW in maps.items():
        told |= {f"{name}_{key}": value for key, value in _extremes(z_HW).items()}
    image_HW = grey_HW.astype(np.float32)
    scale = max(float(image_HW.mean()), 1.0)
    finer_HW = image_HW
    for band_px in _BANDS_PX:
        coarser_HW = smooth(image_HW, band_px)
        told[f"band_{band_px}_px"] = float(cv2.meanStdDev(finer_HW - coarser_HW)[1][0, 0]) / scale
        finer_HW = coarser_HW
    return {f"image_{name}": value for name, value in told.items()}


def _extremes(z_HW: Real) -> dict[str, float]:
    """Return the n-th brightest and darkest values, inside and at the rim, on a log scale of sigmas."""
    rim = min(_RIM_PX, min(z_HW.shape) // 3)
    inner = z_HW[rim:-rim, rim:-rim].ravel()
    outer = np.concatenate([z_HW[:rim].ravel(), z_HW[-rim:].ravel(), z_HW[:, :rim].ravel(), z_HW[:, -rim:].ravel()])
    told = {}
    for place, values in (("inner", inner), ("rim", outer)):
        most = min(max(_NTH), values.size)
        # Parting at one place and sorting what is beyond is much faster than parting at all of them.
        dark = np.sort(np.partition(values, most - 1)[:most])
        bright = np.sort(np.partition(values, values.size - most)[-most:])
        for name in _NTH:
            nth = min(name, values.size)
            told[f"{place}_dark_{name}"] = float(np.log1p(max(-dark[nth - 1], 0.0)))
            told[f"{place}_bright_{name}"] = float(np.log1p(max(bright[most - nth], 0.0)))
    return told
