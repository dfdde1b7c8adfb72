import cv2
import numpy as np

from hardware_ingest.dark_field.azimuths import AZIMUTHS_DEG, draw_azimuths, point_curve
from hardware_ingest.dark_field.contaminants import Grain
from hardware_ingest.dark_field.scatter import Mark, even_lobe
from hardware_ingest.dark_field.sensor import WHITE_DN
from hardware_ingest.dark_field.settings import standard


def curve(mark):
    return point_curve(mark, standard(), np.random.default_rng(0))


def test_curve_of_a_scratch_peaks_sharply_twice_a_turn(flank, line):
    level_A = curve(Mark("scratch", "triangular", line(60.0), 100, flank))
    high = [deg for deg, level in zip(AZIMUTHS_DEG, level_A, strict=True) if level > level_A.max() / 2]
    assert {30 * round(deg / 30) for deg in high} == {60, 240}


def test_curve_of_dust_is_flat_and_saturates_when_it_is_bright():
    grain = Grain(1, 1, ((0, 0, 0.02),))
    level_A = curve(Mark("dust", "grain", grain, 130, even_lobe(0.08)))
    assert level_A.min() > 0.75 * level_A.max()
    assert (curve(Mark("dust", "grain", grain, 1500, even_lobe(0.08))) == WHITE_DN).all()


def test_figure_is_a_picture(tmp_path):
    assert cv2.imread(str(draw_azimuths(tmp_path / "azimuths.png"))).shape[1] > 1000
