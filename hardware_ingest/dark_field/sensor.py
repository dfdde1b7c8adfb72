"""The camera's sensor: Bayer filter, shot and read noise, hot pixels, 12 bits.

Shapes: H x W pixels of a frame.
"""

import cv2
import numpy as np

from hardware_ingest.dark_field.glass import Stream, child
from hardware_ingest.dark_field.scatter import Real, Rng
from hardware_ingest.dark_field.settings import Difficulty
from hardware_ingest.devices import Frame

#: Grey level of a dark pixel.
BLACK_DN = 40
#: Highest grey level of 12 bits.
WHITE_DN = 4095
#: Answer of each colour to white light, over green's; the mosaic is GRBG.
GREEN, RED, BLUE = 1.0, 0.62, 0.55
MOSAIC = ((GREEN, RED), (BLUE, GREEN))

# A whole sensor holds no more; a region starts at its first pixel.
_SENSOR_PX = 4096
# Rows that fit the processor's cache together with their noise.
_BAND_PX = 64


class Sensor:
    """A sensor with its own hot pixels."""

    def __init__(self, seed: int, difficulty: Difficulty) -> None:
        """Draw the rig's sensor from the seed of the data set."""
        rng = np.random.default_rng(child(seed, Stream.rig, 1))
        count = round(difficulty.hot_per_mpx * _SENSOR_PX**2 / 1e6)
        self._hot_row, self._hot_column = rng.integers(0, _SENSOR_PX, (2, count))
        self._hot_rate = np.exp(rng.uniform(np.log(3), np.log(300), count)).astype(np.float32)
        self._dn_per_electron, self._read_noise_dn = difficulty.dn_per_electron, difficulty.read_noise_dn

    def read_out(self, rate_HW: Real, exposure_us: float, gain_db: float, rng: Rng) -> Frame:
        """Return the 12-bit mosaic of an exposure; `rate_HW` is used up.

        Args:
            rate_HW: Light on each pixel, DN/ms at 0 dB behind a green filter.
            exposure_us: Exposure.
            gain_db: Gain, which lifts signal and noise alike.
            rng: Source of the noise.
        """
        gain = 10 ** (gain_db / 20)
        scale = exposure_us / 1000 * gain
        height, width = rate_HW.shape
        mosaic_2W = np.tile(np.array(MOSAIC, np.float32) * np.float32(scale), (1, width // 2 + 1))
        rate_HW[0::2] *= mosaic_2W[0, :width]
        rate_HW[1::2] *= mosaic_2W[1, :width]
        hot = (self._hot_row < height) & (self._hot_column < width)
        rate_HW[self._hot_row[hot], self._hot_column[hot]] += self._hot_rate[hot] * np.float32(scale)
        return self._digitise(rate_HW, gain, rng)

    def _digitise(self, signal_HW: Real, gain: float, rng: Rng) -> Frame:
        """Add noise and round; a normal of the same variance stands for the electrons' Poisson."""
        frame_HW = np.empty(signal_HW.shape, np.uint16)
        shot, read = np.float32(self._dn_per_electron * gain), np.float32((self._read_noise_dn * gain) ** 2)
        noise_HW = np.empty((_BAND_PX, signal_HW.shape[1]), np.float32)
        for top in range(0, len(signal_HW), _BAND_PX):
            band_HW = signal_HW[top : top + _BAND_PX]
            normal_HW = noise_HW[: len(band_HW)]
            rng.standard_normal(out=normal_HW, dtype=np.float32)
            sigma_HW = band_HW * shot
            sigma_HW += read
            np.sqrt(sigma_HW, out=sigma_HW)
            normal_HW *= sigma_HW
            normal_HW += np.float32(BLACK_DN)
            # Rounds, and ends at 0 and 65535.
            grey_HW = cv2.add(normal_HW, band_HW, dtype=cv2.CV_16U)
            np.minimum(grey_HW, WHITE_DN, out=frame_HW[top : top + _BAND_PX])
        return frame_HW
