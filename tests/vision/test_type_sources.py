"""What types of defects are learned from."""

import numpy as np
import pytest

from glassline.vision.type_patches import type_patch
from glassline.vision.type_sources import gather_sources


def test_sources_are_the_defects_of_the_chosen_images_by_type(typed_images):
    images = typed_images(["spot", "line", "", "spot", "spot"])
    sources = gather_sources(images, [0, 1, 2, 3], [], 32, 0)
    assert [len(crops) for crops in sources.by_type] == [1, 2]
    assert all((type_patch(crop, None)[12:20, 12:20] > 150).all() for crop in sources.by_type[1])


def test_random_clean_places_fill_the_clean_class_and_show_no_defect(typed_images):
    sources = gather_sources(typed_images(["spot", "line"]), [0, 1], [], 32, 0)
    assert len(sources.random_clean) > 200
    assert all(
        type_patch(crop, None).min() > 80 and type_patch(crop, None).max() < 160 for crop in sources.random_clean
    )


def test_false_positives_of_the_chosen_images_take_the_places_of_random_ones(typed_images):
    wrong = [(2, (10, 10, 4, 4))] * 100 + [(1, (10, 10, 4, 4))] * 50
    sources = gather_sources(typed_images(["spot", "spot", ""]), [0, 2], wrong, 32, 0)
    assert (len(sources.false_positives), len(sources.random_clean)) == (100, 156)


def test_many_false_positives_leave_no_random_place(typed_images):
    sources = gather_sources(typed_images(["spot", ""]), [0, 1], [(1, (10, 10, 4, 4))] * 256, 32, 0)
    assert (len(sources.false_positives), len(sources.random_clean)) == (256, 0)


def test_image_that_a_defect_fills_gives_no_clean_place(typed_images):
    assert gather_sources(typed_images(["spot"], size_px=25), [0], [], 32, 0).random_clean == ()


def test_clean_places_have_the_scale_of_the_defects(typed_images):
    images = typed_images(["line", "", ""], size_px=200)
    images._objects[0][0]["bbox"] = [20, 60, 60, 4]  # windows of 64 px, scaled down by 2
    patches = [type_patch(crop, None) for crop in gather_sources(images, [0, 1, 2], [], 32, 0).random_clean]
    assert np.median([patch.std() for patch in patches]) == pytest.approx(2, rel=0.15)  # noise of 4, mean of 4 px


def test_sources_repeat_with_their_seed(typed_images):
    images = typed_images(["spot", "line"])
    first, again, other = (gather_sources(images, [0, 1], [], 32, seed).random_clean[0] for seed in (1, 1, 2))
    assert (first.image == again.image).all()
    assert (first.image != other.image).any()
