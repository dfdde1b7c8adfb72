"""Make grey images of two optical systems agree: flat-field, then grey-level match.

Shapes: H x W pixels.
"""

import cv2
import numpy as np
import numpy.typing as npt

from glassline.errors import DataError

Grey = npt.NDArray[np.uint8]
Real = npt.NDArray[np.float32]

#: Sigma of a normal distribution over its median absolute deviation.
MAD_TO_SIGMA = 1.4826
#: What the matched image has: its median, and grey levels per robust sigma.
MATCHED_LEVEL = 128.0
MATCHED_SIGMA = 8.0

_LEAST_SIGMA = 1e-3
_STREAK_SIGMA = 4.0


def check_grey(grey_HW: Grey) -> None:
    """Refuse what is no grey 8-bit image.

    Raises:
        DataError: The array is not two-dimensional uint8, or a side is under 3 px.
    """
    if grey_HW.ndim != 2 or grey_HW.dtype != np.uint8 or min(grey_HW.shape) < 3:
        raise DataError(
            f"an image must be grey uint8 of at least 3 x 3 px, got {grey_HW.dtype} of {grey_HW.shape}; "
            "convert it with a stated bit mapping first"
        )


def smooth(image_HW: Real, sigma_px: float) -> Real:
    """Blur with a Gaussian; a wide one runs on a shrunken image, which costs 1/16 and differs little.

    Args:
        image_HW: Any real image.
        sigma_px: Standard deviation in pixels, > 0.

    Returns:
        The blurred image (H, W), float32.
    """
    height_px, width_px = image_HW.shape
    factor = max(1, int(sigma_px // 4))
    size = (max(2, width_px // factor), max(2, height_px // factor))
    if factor == 1 or min(size) < 4:
        return _real(cv2.GaussianBlur(image_HW, (0, 0), sigma_px, borderType=cv2.BORDER_REFLECT))
    small_HW = cv2.resize(image_HW, size, interpolation=cv2.INTER_AREA)
    small_HW = cv2.GaussianBlur(small_HW, (0, 0), sigma_px / factor, borderType=cv2.BORDER_REFLECT)
    return _real(cv2.resize(small_HW, (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def robust_spread(values: Real) -> tuple[float, float]:
    """Return median and robust sigma (1.4826 times the median absolute deviation, at least 0.001).

    A few thousand pixels fix both well, so large images are sampled on a regular grid. Where more than
    half of the values are equal, the ordinary deviation stands in.
    """
    sample = values.ravel()[:: max(1, values.size // 65536)]
    if not sample.size:
        return 0.0, 1.0
    median = _median(sample)
    sigma = MAD_TO_SIGMA * _median(np.abs(sample - median))
    return median, max(sigma or float(np.std(sample)), _LEAST_SIGMA)


def _median(values: Real) -> float:
    """Return what np.median does; numpy parts at one place several times as fast as at the two that it asks for."""
    half = values.size // 2
    parts = np.partition(values, half)
    return float(parts[half] if values.size % 2 else (parts[:half].max() + parts[half]) / 2)


def without_streaks(z_HW: Real, streak_px: float) -> Real:
    """Subtract what runs along columns for longer than `streak_px`, such as grinding marks.

    Args:
        z_HW: Deviations in robust sigmas; over 4 they count as 4, so that a defect leaves no shadow.
        streak_px: Gaussian sigma along columns in pixels.
    """
    return z_HW - _smooth_columns(np.clip(z_HW, -_STREAK_SIGMA, _STREAK_SIGMA), streak_px)


def _smooth_columns(image_HW: Real, sigma_px: float) -> Real:
    """Blur along columns only, on shrunken columns."""
    height_px, width_px = image_HW.shape
    rows = max(2, height_px // max(1, int(sigma_px // 4)))
    small_HW = cv2.resize(image_HW, (width_px, rows), interpolation=cv2.INTER_AREA)
    sigma = sigma_px * rows / height_px
    taps = 2 * int(np.ceil(3 * sigma)) + 1
    kernel = cv2.getGaussianKernel(taps, sigma)
    small_HW = cv2.sepFilter2D(small_HW, cv2.CV_32F, np.ones(1), kernel, borderType=cv2.BORDER_REFLECT)
    return _real(cv2.resize(small_HW, (width_px, height_px), interpolation=cv2.INTER_LINEAR))


def flat_field(grey_HW: Grey, background_px: float) -> Real:
    """Divide by the smooth background, so that uneven light leaves no trace.

    Args:
        grey_HW: Grey image, 0 to 255.
        background_px: Gaussian sigma of the background in pixels; well above the size of a defect.

    Returns:
        Image (H, W), about 1 where nothing is.
    """
    check_grey(grey_HW)
    # One grey level is added to both sides: a black image divides without noise blowing up.
    image_HW = grey_HW.astype(np.float32) + 1.0
    return image_HW / smooth(image_HW, background_px)


def normalise(grey_HW: Grey, background_px: float, streak_px: float = 0.0) -> Grey:
    """Flat-field, remove streaks if told, and match the grey levels to a fixed median and contrast.

    Args:
        grey_HW: Grey image, 0 to 255.
        background_px: Gaussian sigma of the background in pixels; 0 matches the grey levels only.
        streak_px: Streaks along columns longer than this are removed; 0 keeps them.

    Returns:
        Image (H, W), uint8: median 128, one robust sigma is 8 grey levels, clipped to 0..255.

    Raises:
        DataError: The array is no grey 8-bit image.
    """
    check_grey(grey_HW)
    flat_HW = flat_field(grey_HW, background_px) if background_px else grey_HW.astype(np.float32)
    median, sigma = robust_spread(flat_HW)
    z_HW = (flat_HW - median) / sigma
    if streak_px:
        z_HW = without_streaks(z_HW, streak_px)
    matched_HW = z_HW * MATCHED_SIGMA + MATCHED_LEVEL
    return np.asarray(np.clip(np.rint(matched_HW), 0, 255), np.uint8)


def _real(image_HW: npt.ArrayLike) -> Real:
    """Return float32; OpenCV keeps the type, its stubs do not say so."""
    return np.asarray(image_HW, np.float32)
