import cv2
import numpy as np
import pytest

from glassline.errors import DataError, SettingsError
from glassline.vision.candidates import (
    Candidate,
    CandidateSettings,
    crop_candidate,
    crop_square,
    find_candidates,
    magnetic_tile_candidates,
    phone_screen_candidates,
)
from glassline.vision.glass import find_glass
from glassline.vision.systematic import find_systematic, read_systematic, write_systematic


def _glass(height: int = 300, width: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(90, 3, (height, width))


def _grey(image: np.ndarray) -> np.ndarray:
    return np.rint(image).clip(0, 255).astype(np.uint8)


def _spotted() -> np.ndarray:
    image = _glass()
    image[100:120, 50:70] += 60
    image[200:208, 300:330] -= 40
    return _grey(image)


def test_find_candidates_boxes_bright_and_dark_spots_strongest_first():
    bright, dark = find_candidates(_spotted(), CandidateSettings(per_image=2))
    assert np.allclose([bright.x_px, bright.y_px, bright.width_px, bright.height_px], [50, 100, 20, 20], atol=4)
    assert np.allclose([dark.x_px, dark.y_px, dark.width_px, dark.height_px], [300, 200, 30, 8], atol=4)
    assert bright.attributes["dark_share"] == 0
    assert dark.attributes["dark_share"] == 1


def test_find_candidates_keeps_at_most_per_image():
    assert len(find_candidates(_spotted(), CandidateSettings(per_image=1))) == 1


def test_find_candidates_segments_the_spot():
    spot = find_candidates(_spotted(), CandidateSettings(per_image=1))[0]
    assert spot.mask_HW.shape == (spot.height_px, spot.width_px)
    assert 380 <= spot.mask_HW.sum() <= 650


def test_find_candidates_yields_most_salient_place_when_there_is_no_blob():
    image = np.full((60, 60), 90, np.uint8)
    image[30, 40] = 94
    settings = CandidateSettings(min_area_px=2000)
    (place,) = find_candidates(image, settings)
    assert (place.x_px, place.y_px) == (38, 28)
    assert find_candidates(image, settings.model_copy(update={"always_one": False})) == []


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("preset", [CandidateSettings, magnetic_tile_candidates, phone_screen_candidates])
def test_find_candidates_is_finite_on_a_constant_image(level, preset):
    (place,) = find_candidates(np.full((130, 70), level, np.uint8), preset())
    assert all(np.isfinite(value) for value in place.attributes.values())


@pytest.mark.parametrize("shape", [(3, 3), (5, 400), (400, 5), (112, 112)])
@pytest.mark.parametrize("preset", [CandidateSettings, magnetic_tile_candidates, phone_screen_candidates])
def test_find_candidates_takes_any_size(shape, preset):
    image = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for found in find_candidates(image, preset()):
        assert all(np.isfinite(value) for value in found.attributes.values())
        assert crop_candidate(image, found, preset())[0].shape == (112, 112)


def test_find_candidates_attributes_have_the_same_names_for_every_image():
    settings = magnetic_tile_candidates()
    names = {
        tuple(found.attributes) for seed in (0, 1) for found in find_candidates(_grey(_glass(seed=seed)), settings)
    }
    assert len(names) == 1


def test_find_candidates_attributes_survive_a_mirror():
    image = _spotted()
    plain = find_candidates(image, CandidateSettings(per_image=1))[0]
    mirrored = find_candidates(np.ascontiguousarray(image[:, ::-1]), CandidateSettings(per_image=1))[0]
    for name, value in plain.attributes.items():
        assert abs(value - mirrored.attributes[name]) < 0.1 + 0.05 * abs(value), name


def test_find_candidates_ignores_brightness_of_the_lamp():
    image = _spotted()
    dimmed = _grey(image * 0.7)
    first, second = (find_candidates(i, CandidateSettings(per_image=1))[0] for i in (image, dimmed))
    assert np.allclose([first.x_px, first.y_px], [second.x_px, second.y_px], atol=2)


def test_find_candidates_drops_streaks_when_told():
    image = _glass()
    image[:, 200:203] += 8
    image[100:110, 50:60] -= 12
    kept, dropped = (
        find_candidates(_grey(image), CandidateSettings(per_image=1, streak_px=streak_px))[0] for streak_px in (0, 30)
    )
    assert abs(kept.x_px - 200) <= 2
    assert abs(dropped.x_px - 50) <= 2


def test_find_candidates_sees_a_band_of_other_finish_when_told():
    image = _glass()
    image[180:] += np.random.default_rng(2).normal(0, 12, 400)[None, :]
    found = find_candidates(_grey(image), CandidateSettings(bands=True, streak_px=30.0, threshold_sigma=3.0))
    assert any(c.attributes["map"] == 2 and abs(c.y_px + c.height_px / 2 - 180) < 12 for c in found)


def test_find_candidates_refuses_a_systematic_mask_of_another_size():
    with pytest.raises(DataError, match="systematic mask must be of the image's size"):
        find_candidates(_spotted(), CandidateSettings(), np.zeros((10, 10), np.bool_))


def test_find_candidates_refuses_colour():
    with pytest.raises(DataError, match="grey uint8"):
        find_candidates(np.zeros((40, 40, 3), np.uint8), CandidateSettings())


def test_candidate_settings_name_an_unknown_key():
    with pytest.raises(SettingsError, match="windows_px"):
        CandidateSettings.parse({"windows_px": 224})


def _at(x: int, y: int, width: int, height: int) -> Candidate:
    return Candidate(x, y, width, height, {}, np.ones((height, width), np.bool_))


def test_crop_candidate_keeps_native_pixels_around_the_centre():
    image = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    patch, (x, y, edge) = crop_candidate(image, _at(140, 120, 20, 10), CandidateSettings())
    assert (x, y, edge) == (94, 69, 112)
    assert np.array_equal(patch, image[69:181, 94:206])


def test_crop_candidate_grows_and_shrinks_a_defect_larger_than_the_window():
    image = np.zeros((400, 400), np.uint8)
    image[:, 200:] = 200
    patch, (x, y, edge) = crop_candidate(image, _at(100, 150, 224, 40), CandidateSettings())
    assert (x, y, edge) == (100, 58, 224)
    assert patch.shape == (112, 112)
    assert (patch[:, :50] == 0).all()
    assert (patch[:, 50:] == 200).all()


def test_crop_square_is_flat_beyond_the_border():
    image = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]], np.uint8)
    assert crop_square(image, -1, 0, 3, 3).tolist() == [[4, 1, 2], [4, 4, 5], [4, 7, 8]]  # 4: median of what is seen


def test_crop_square_is_flat_around_an_image_smaller_than_the_window():
    patch = crop_square(np.array([[1, 2, 3]] * 3, np.uint8), -4, 0, 11, 11)
    assert patch[0].tolist() == [2, 2, 2, 2, 1, 2, 3, 2, 2, 2, 2]
    assert set(patch[3:].ravel().tolist()) == {2}


def _phone(frame: int) -> np.ndarray:
    image = np.full((240, 400), 60.0)
    cv2.rectangle(image, (40, 30), (360, 210), float(frame), -1)
    cv2.rectangle(image, (80, 34), (320, 206), 15.0, -1)
    return _grey(image)


@pytest.mark.parametrize("frame", [15, 250], ids=["black frame", "white frame"])
def test_find_glass_is_the_dark_plate_without_its_rim(frame):
    glass = find_glass(_phone(frame), "dark")
    assert glass[120, 200]
    assert not glass[10, 10]
    assert not glass[31, 42]
    assert glass.mean() > 0.3


def test_find_glass_is_everything_when_no_plate_stands_free():
    assert find_glass(_grey(_glass()), "dark").all()


def test_find_systematic_marks_what_repeats_and_only_that(tmp_path):
    images = []
    for seed in range(6):
        image = _glass(seed=seed)
        image[40:44, 60:64] += 80  # a hot spot of the camera
        image[100 + 20 * seed : 108 + 20 * seed, 200:208] += 80  # a defect, elsewhere on each glass
        images.append(_grey(image))
    mask = find_systematic(images, CandidateSettings())
    assert mask[40:44, 60:64].all()
    assert not mask[95:220, 190:220].any()
    write_systematic(mask, tmp_path)
    assert np.array_equal(read_systematic(tmp_path), mask)
    best = find_candidates(images[0], CandidateSettings(per_image=1), mask)[0]
    assert abs(best.x_px - 200) <= 4


def test_find_systematic_refuses_images_of_two_sizes():
    with pytest.raises(DataError, match="one size"):
        find_systematic([_grey(_glass()), _grey(_glass(100, 100))], CandidateSettings())


def test_find_systematic_refuses_no_images():
    with pytest.raises(DataError, match="at least one image"):
        find_systematic([], CandidateSettings())


def test_read_systematic_names_the_missing_file(tmp_path):
    with pytest.raises(DataError, match=r"systematic\.png"):
        read_systematic(tmp_path)
