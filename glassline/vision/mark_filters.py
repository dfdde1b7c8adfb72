"""How much a map of gradients looks like a mark: lines, edges and spots at each place.

Shapes: H x W pixels.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

Real = npt.NDArray[np.float32]

#: A line counts along this many px, in each of so many directions; powers of two.
LINE_PX, DIRECTIONS = (16, 32), 12
_EDGE_PX = (16,)
# Wider than one pixel, for lines of 1 to 3 px.
_SMOOTH_PX = 0.8
_SPOTS_PX = (1.5, 3.0, 6.0)
#: How far a filter sees.
REACH_PX = max(max(LINE_PX) // 2 + 4, int(4 * max(_SPOTS_PX)))
#: How far from the border each filter begins to tell: what a spot's two sides add up to is noisier where one of them
#: lies beyond it.
MARGINS_PX = tuple(int(4 * scale_px) for scale_px in _SPOTS_PX) + (0,) * DIRECTIONS * len(LINE_PX + _EDGE_PX)

# Halves of a line lie no farther from its middle.
_PAD_PX = max(LINE_PX) // 4
_SIDES = np.array([-0.5, 0, 0.5]), np.array([0.5, 0.5, 0])


class MarkFilters:
    """Filters for maps of one size; the memory that they work in is taken once."""

    def __init__(self, height: int, width: int) -> None:
        """Take memory.

        Args:
            height: Rows of each map.
            width: Columns.
        """
        self._padded = [np.zeros((height + 2 * _PAD_PX, width + 2 * _PAD_PX), np.float32) for _ in range(2)]
        self._across_HW, self._spare_HW = (np.empty((height, width), np.float32) for _ in range(2))

    def each(self, gradients_2HW: Real) -> Iterator[Real]:
        """Yield what each filter makes of a map (H, W), in the order of `MARGINS_PX`; the next one overwrites it.

        Args:
            gradients_2HW: Gradients in x and y.
        """
        # Nothing beyond the border: mirrored, noise would be higher there than elsewhere.
        x_HW, y_HW = (_blurred(one_HW, _SMOOTH_PX) for one_HW in gradients_2HW)
        xx_HW, yy_HW = x_HW.copy(), y_HW.copy()
        xx_HW[:, 1:] -= x_HW[:, :-1]
        yy_HW[1:] -= y_HW[:-1]
        # Slopes of a gradient along the other axis, where xx and yy lie: half a px back.
        xy_HW = cv2.add(
            cv2.sepFilter2D(x_HW, cv2.CV_32F, _SIDES[1], _SIDES[0], borderType=cv2.BORDER_REPLICATE),
            cv2.sepFilter2D(y_HW, cv2.CV_32F, _SIDES[0], _SIDES[1], borderType=cv2.BORDER_REPLICATE),
        )
        np.add(xx_HW, yy_HW, out=self._spare_HW)
        for scale_px, margin_px in zip(_SPOTS_PX, MARGINS_PX, strict=False):
            yield _inside(_blurred(self._spare_HW, scale_px), margin_px)
        for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
            cos, sin = float(np.cos(angle)), float(np.sin(angle))
            cv2.addWeighted(xx_HW, sin * sin, yy_HW, cos * cos, 0, dst=self._across_HW)
            cv2.scaleAdd(xy_HW, -sin * cos, self._across_HW, dst=self._across_HW)
            yield from self._along(cos, sin, LINE_PX)
            cv2.addWeighted(y_HW, cos, x_HW, -sin, 0, dst=self._across_HW)
            yield from self._along(cos, sin, _EDGE_PX)

    def _along(self, cos: float, sin: float, lengths_px: tuple[int, ...]) -> Iterator[Real]:
        """Yield what lies across a direction summed along it, over each of the lengths, centred."""
        summed, out = self._padded
        _inner(summed)[:] = self._across_HW
        length = 1
        while length < max(lengths_px):
            # The halves lie `length` apart; of the odd step the first half takes the rest.
            down, right = round(length * sin), round(length * cos)
            first = _inner(summed, -(down // 2), -(right // 2))
            cv2.add(first, _inner(summed, down - down // 2, right - right // 2), dst=_inner(out))
            summed, out = out, summed
            length *= 2
            if length in lengths_px:
                yield _inner(summed)


def _inner(padded_HW: Real, down: int = 0, right: int = 0) -> Real:
    """Return the map within its rim of zeros, moved into the rim."""
    height, width = padded_HW.shape
    return padded_HW[_PAD_PX + down : height - _PAD_PX + down, _PAD_PX + right : width - _PAD_PX + right]


def _inside(map_HW: Real, margin_px: int) -> Real:
    map_HW[:margin_px], map_HW[-margin_px:], map_HW[:, :margin_px], map_HW[:, -margin_px:] = 0, 0, 0, 0
    return map_HW


def _blurred(map_HW: Real, sigma_px: float) -> Real:
    return np.asarray(cv2.GaussianBlur(map_HW, (0, 0), sigma_px, borderType=cv2.BORDER_CONSTANT), np.float32)
