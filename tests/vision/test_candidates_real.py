"""Recall of the presets on real images; figures of the whole sets stand in docs/decisions/0002."""

import cv2
import numpy as np

from glassline.vision.candidates import find_candidates, magnetic_tile_candidates, phone_screen_candidates
from glassline.vision.systematic import find_systematic


def test_magnetic_tile_candidates_hit_most_defects(shared_data):
    hits = []
    for name in ("Blowhole", "Break", "Crack", "Fray", "Uneven"):
        for path in sorted((shared_data / "magnetic_tile" / f"MT_{name}" / "Imgs").glob("*.jpg"))[::12]:
            defect_HW = cv2.imread(str(path.with_suffix(".png")), cv2.IMREAD_GRAYSCALE) > 127
            found = find_candidates(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), magnetic_tile_candidates())
            hits.append(any(_overlap(defect_HW, candidate) >= 0.3 for candidate in found))
    assert len(hits) >= 30
    assert np.mean(hits) >= 0.85


def _overlap(defect_HW, candidate):
    y, x = candidate.y_px, candidate.x_px
    inside = defect_HW[y : y + candidate.height_px, x : x + candidate.width_px][candidate.mask_HW].sum()
    return max(inside / candidate.mask_HW.sum(), inside / max(defect_HW.sum(), 1))


def test_phone_screen_candidates_lie_on_the_screen_and_not_on_what_repeats(shared_data):
    settings = phone_screen_candidates()
    paths = sorted((shared_data / "phone_screen").glob("*.jpg"))[::5]
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    assert len(images) == 12
    systematic_HW = find_systematic(images, settings)
    assert 0 < systematic_HW.mean() < 0.05
    for grey_HW in images:
        best = find_candidates(grey_HW, settings, systematic_HW)[0]
        middle = (best.y_px + best.height_px // 2, best.x_px + best.width_px // 2)
        assert best.attributes["around_black_share"] < 1
        assert grey_HW[middle[0] - 60 : middle[0] + 60, middle[1] - 60 : middle[1] + 60].mean() < 120
