"""TPR and TNR of images: the highest probability of a patch, a threshold between the two kinds."""

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.image_rates import best_threshold, by_image, image_rates
from glassline.analysis.operating_point import share_of
from glassline.errors import DataError


def _images(clean: list[float], defective: list[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [f"i{n}" for n in range(len(clean) + len(defective))],
            "probability": [*clean, *defective],
            "defective": [False] * len(clean) + [True] * len(defective),
        }
    )


def test_an_image_is_as_probable_as_its_likeliest_patch_and_defective_by_any():
    image_N = np.array(["b", "a", "b", "a", "c"], object)
    found = by_image(image_N, np.array([0.1, 0.2, 0.9, 0.3, 0.4]), np.array([False, False, True, False, False]))
    assert found.to_dict("list") == {
        "image": ["a", "b", "c"], "probability": [0.3, 0.9, 0.4], "defective": [False, True, False],
    }  # fmt: skip


def test_the_threshold_lies_midway_between_kinds_that_can_be_told_apart():
    assert best_threshold(_images([0.1, 0.2], [0.6, 0.9])) == pytest.approx(0.4)
    assert best_threshold(_images([0.0], [0.6])) == pytest.approx(0.3)


def test_the_threshold_has_the_highest_sum_of_both_rates():
    generator = np.random.default_rng(0)
    images = _images(generator.beta(2, 4, 40).tolist(), generator.beta(4, 3, 15).tolist())
    clean, defective = (images["probability"][images["defective"] == kind].to_numpy() for kind in (False, True))
    best = max((defective >= at).mean() + (clean < at).mean() for at in np.linspace(0, 1, 2001))
    found = image_rates(images, best_threshold(images))
    assert found.tpr + found.tnr == pytest.approx(best)


@pytest.mark.parametrize("top", [1.0, 0.5])
def test_neighbouring_numbers_stay_on_their_sides(top):
    below = float(np.nextafter(top, 0))
    images = _images([below], [top])
    found = image_rates(images, best_threshold(images))
    assert (found.tpr, found.tnr) == (1, 1)


def test_rates_come_with_wilson_intervals():
    found = image_rates(_images([0.1, 0.2, 0.7], [0.8, 0.3]), 0.5)
    assert (found.tpr, found.tpr_low, found.tpr_high) == pytest.approx(share_of(1, 2))
    assert (found.tnr, found.tnr_low, found.tnr_high) == pytest.approx(share_of(2, 3))
    assert (found.defective, found.clean, found.threshold) == (2, 3, 0.5)


@pytest.mark.parametrize(("clean", "defective"), [([0.1], []), ([], [0.1])])
def test_images_of_one_kind_give_no_threshold(clean, defective):
    with pytest.raises(DataError, match="defective and clean validation images"):
        best_threshold(_images(clean, defective))
