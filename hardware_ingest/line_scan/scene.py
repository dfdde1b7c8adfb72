"""A glass under the simulated line-scan camera, for a rig to capture: mono, one light state.

Shapes: H x W pixels of the view of a glass, h x w of a frame.
"""

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from pydantic import Field

from glassline.settings import Settings
from hardware_ingest.devices import Frame
from hardware_ingest.line_scan.render import draw_view
from hardware_ingest.line_scan.settings import PITCH_UM, SPOTS_PER_GLASS, LineScanSettings
from hardware_ingest.zones import ZoneGrid

#: Exposure of a line that gives the grey levels of the simulated data sets.
EXPOSURE_US = 100.0
#: Grey level of a dark pixel, of 8 bits.
BLACK = 2.0

# Shot noise of 8-bit grey levels, and how unevenly columns and lines answer.
_SHOT, _COLUMNS, _LINES = 0.22, 0.003, 0.002


class LineSceneSettings(Settings):
    """Which glass passes the camera; as JSON it makes the same scene in another process."""

    seed: int = Field(0, ge=0, description="seed of the data set")
    glass: int = Field(1, ge=0, description="number of the glass")
    bit_depth: Literal[8, 12] = Field(12, description="significant bits of a pixel")
    glasses: LineScanSettings = Field(default_factory=LineScanSettings, description="what the glasses are")


class LineScanScene:
    """One glass on the belt, a `hardware_ingest.devices.Scene`; every frame has its own noise from the seed.

    Attributes:
        spots: What is marked on the glass, in px of the whole view.
    """

    def __init__(self, settings: LineSceneSettings) -> None:
        """Draw the glass: the same as number `glass` of the simulated data set."""
        self._settings = settings
        seed, glass = settings.seed, settings.glass
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(glass,)))
        self._view_HW, self.spots = draw_view(settings.glasses, SPOTS_PER_GLASS, rng)
        columns = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0, 0)))
        self._view_HW *= 1 + np.float32(_COLUMNS) * columns.standard_normal(self._view_HW.shape[1], np.float32)
        self._exposures = 0

    def expose(
        self, x_mm: float, y_mm: float, groups: Sequence[int], exposure_us: float, gain_db: float,
        size_px: tuple[int, int],
    ) -> Frame:  # fmt: skip
        """Return the lines (h, w) that pass from a place on; see `hardware_ingest.devices.Scene`."""
        rng = np.random.default_rng(
            np.random.SeedSequence(self._settings.seed, spawn_key=(1, self._settings.glass, self._exposures))
        )
        self._exposures += 1
        gain = 10 ** (gain_db / 20)
        relative = exposure_us / EXPOSURE_US * gain if groups else 0.0
        grey_HW = self._crop(x_mm, y_mm, size_px) * np.float32(relative)
        grey_HW *= 1 + np.float32(_LINES) * rng.standard_normal((len(grey_HW), 1), np.float32)
        sigma_HW = np.float32(_SHOT) * np.sqrt(np.maximum(grey_HW * np.float32(gain), 1))
        grey_HW += sigma_HW * rng.standard_normal(grey_HW.shape, np.float32) + np.float32(BLACK)
        levels = 2**self._settings.bit_depth
        return np.asarray(np.clip(np.rint(grey_HW * np.float32(levels / 256)), 0, levels - 1), np.uint16)

    def _crop(self, x_mm: float, y_mm: float, size_px: tuple[int, int]) -> np.ndarray:
        """Return the view from a place on; beside the glass it is dark."""
        shift = np.array([[1, 0, x_mm * 1000 / PITCH_UM], [0, 1, y_mm * 1000 / PITCH_UM]], np.float32)
        return cv2.warpAffine(self._view_HW, shift, size_px, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def line_scan_grid() -> ZoneGrid:
    """Return two zones of 750 x 782 px at 100 um that cover the simulated view of 75 x 150 mm."""
    return ZoneGrid(columns=1, rows=2, width_px=750, height_px=782, overlap_px=64, pitch_um=PITCH_UM)
