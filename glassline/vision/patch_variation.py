"""How training patches are varied: turned, mirrored, with more or less contrast, under other light, with noise.

Source: He and Liu 2020 (system E of the reading), section III.C.3.
Shapes: P x P pixels of a patch, grey or with a last axis of three colours.
"""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Real = npt.NDArray[np.floating]
Affine = npt.NDArray[np.float64]

# Turns by any angle blur the grain a little, quarter turns do not: as many of each.
_ANY_ANGLE = 0.5
_CONTRAST = (0.75, 1.33)
_OFFSET_LEVELS, _RAMP_LEVELS = 20.0, 15.0
_NOISE_LEVELS = 4.0


def placement(centre_xy: tuple[int, int], patch_px: int, rng: np.random.Generator | None) -> Affine:
    """Return the affine map (2, 3) from an image to a patch: turned, mirrored, the pixel `centre_xy` in the middle.

    Without `rng` it is neither turned nor mirrored.
    """
    turn = np.eye(2)
    if rng is not None:
        any_angle = rng.random() < _ANY_ANGLE
        angle = rng.uniform(0, 2 * np.pi) if any_angle else np.pi / 2 * rng.integers(4)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turn = (turn if any_angle else np.rint(turn)) @ np.diag([rng.choice([-1.0, 1.0]), 1.0])
    # Whole pixels onto whole pixels: a quarter turn about a pixel's middle moves the patch's middle by one.
    middle = np.full(2, patch_px // 2, np.float64)
    return np.column_stack([turn, middle - turn @ np.asarray(centre_xy, np.float64)])


def placed(image: Image, across: Affine, patch_px: int) -> Image:
    """Return the patch that an affine map leads to, mirrored beyond the image's rim."""
    size = patch_px, patch_px
    return np.asarray(
        cv2.warpAffine(image, across, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101), np.uint8
    )


def contrasted(levels: Real, rng: np.random.Generator) -> Real:
    """Return levels with more or less contrast about their mean."""
    factor = np.exp(rng.uniform(*np.log(_CONTRAST)))
    return np.asarray((levels - levels.mean()) * factor + levels.mean())


def lit(levels: Real, rng: np.random.Generator) -> Real:
    """Return levels under another light, with its noise."""
    edge = levels.shape[0]
    angle, along = rng.uniform(0, 2 * np.pi), np.linspace(-0.5, 0.5, edge, dtype=np.float32)
    ramp_PP = rng.uniform(0, _RAMP_LEVELS) * (np.cos(angle) * along[:, None] + np.sin(angle) * along[None])
    light_PP = (ramp_PP + rng.uniform(-_OFFSET_LEVELS, _OFFSET_LEVELS)).astype(np.float32)
    noise = rng.standard_normal(levels.shape, np.float32) * rng.uniform(0, _NOISE_LEVELS)
    return np.asarray(levels + (light_PP if levels.ndim == 2 else light_PP[..., None]) + noise, np.float32)


def eight_bit(levels: Real) -> Image:
    """Return levels rounded to 8 bit."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
