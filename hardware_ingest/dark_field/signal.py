"""How far scratches stand out of the noise: by how much a preset is hard."""

import numpy as np
from numpy.typing import ArrayLike

from hardware_ingest.dark_field.place import Place
from hardware_ingest.dark_field.scatter import Drawn, Mark, Real
from hardware_ingest.dark_field.scene import DarkFieldScene
from hardware_ingest.dark_field.sensor import GREEN, MOSAIC
from hardware_ingest.dark_field.settings import EXPOSURE_US, Difficulty
from hardware_ingest.dark_field.truth import MASK_FROM, SMALLEST_PX
from hardware_ingest.devices import LIGHT_STATES


def peak_signal_to_noise(scene: DarkFieldScene) -> list[float]:
    """Measure every scratch of a glass that has a mask in some zone.

    Args:
        scene: Glass and rig.

    Returns:
        For each scratch its clearest pixel in its best light state: light behind the pixel's colour filter, before the
        sensor clips, over the noise of the background of that colour; in the order drawn.
    """
    peaks: dict[int, float] = {}
    for zone in scene.settings.grid.zones():
        place = scene.place(zone.x_mm, zone.y_mm)
        for mark, drawn in place.seen:
            if mark.label == "scratch" and int((drawn.extent_N >= MASK_FROM).sum()) >= SMALLEST_PX:
                peaks[id(mark)] = max(peaks.get(id(mark), 0.0), _peak(place, mark, drawn, scene.difficulty))
    return [peaks[id(mark)] for mark in scene.glass.marks if id(mark) in peaks]


def background_noise_dn(difficulty: Difficulty, answer: ArrayLike = GREEN) -> Real:
    """Return the sensor's noise on bare glass in the middle of the view in one light state, in grey levels.

    Args:
        difficulty: Glass and sensor.
        answer: Answer of a pixel's colour to white light, over green's.
    """
    base_dn = (2 * difficulty.bulk_rate + difficulty.stray_rate) * np.asarray(answer) * EXPOSURE_US / 1000
    return np.asarray(np.sqrt(base_dn * difficulty.dn_per_electron + difficulty.read_noise_dn**2), np.float32)


def _peak(place: Place, mark: Mark, drawn: Drawn, difficulty: Difficulty) -> float:
    row_N, column_N = np.divmod(drawn.index_N, place.view.width_px)
    answer_N = np.array(MOSAIC)[row_N % 2, column_N % 2]
    brightest_N = np.max(
        [place.added(mark, drawn, (state, state + LIGHT_STATES)) for state in range(LIGHT_STATES)], axis=0
    )
    signal_dn_N = brightest_N * answer_N * EXPOSURE_US / 1000
    return float((signal_dn_N / background_noise_dn(difficulty, answer_N)).max())
