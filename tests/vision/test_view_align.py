"""Images of a view brought to the same place, where a structure tells."""

import numpy as np

from glassline.vision.view_align import align
from glassline.vision.window_strength import Reference, window_strength

COUNT, SIZE = 12, 192


def _frames(seed, jitter_px=4, scratch=0):
    generator = np.random.default_rng(seed)
    glass_HW = np.full((SIZE + 40, SIZE + 40), 90.0)
    glass_HW[:, :70] = 160
    glass_HW[:60] = 160
    y_HW, x_HW = np.mgrid[: SIZE + 40, : SIZE + 40]
    glass_HW[np.hypot(x_HW - 150, y_HW - 160) < 14] = 30
    glass_HW[110, 100:180] += scratch
    moves_K2 = generator.integers(-jitter_px, jitter_px + 1, (COUNT, 2)) if jitter_px else np.zeros((COUNT, 2), int)
    images_KHW = np.stack([glass_HW[20 - y : 20 - y + SIZE, 20 - x : 20 - x + SIZE] for x, y in moves_K2])
    return (images_KHW + generator.normal(0, 6, images_KHW.shape)).round().clip(0, 255).astype(np.uint8), moves_K2


def test_jittered_images_come_back_to_one_place(image_rows):
    images_KHW, moves_K2 = _frames(0)
    aligned, structure = align(image_rows(images_KHW), COUNT)
    assert structure is not None
    left_K2 = moves_K2 - np.array(aligned.shifts_px)
    assert np.ptp(left_K2, axis=0).max() <= 1
    inner = slice(30, 160)
    spread = np.std([aligned.rows(number, 30, 160)[:, inner] for number in range(COUNT)], axis=0).mean()
    assert spread < np.std(images_KHW[:, inner, inner], axis=0).mean()


def test_rows_beyond_the_border_repeat_it(image_rows):
    images_KHW, _ = _frames(0)
    aligned, _ = align(image_rows(images_KHW), COUNT)
    for top, bottom in ((0, 10), (SIZE - 3, SIZE), (0, SIZE)):
        assert aligned.rows(3, top, bottom).shape == (bottom - top, SIZE)


def test_independent_textures_are_not_moved(image_rows):
    images_KHW = np.random.default_rng(0).integers(0, 255, (COUNT, SIZE, SIZE)).astype(np.uint8)
    rows = image_rows(images_KHW)
    assert align(rows, COUNT) == (rows, None)


def test_a_scratch_on_a_jittering_view_is_found_beside_structure_that_good_glasses_share(image_rows):
    live_KHW, _ = _frames(0, scratch=40)
    good_KHW, _ = _frames(1)
    live, structure = align(image_rows(live_KHW), COUNT)
    good, _ = align(image_rows(good_KHW), COUNT, structure)
    found = window_strength(live, range(COUNT), 0, Reference(good, tuple(range(COUNT))))
    threshold = found.tail.threshold(found.squares, 0.001)
    y, x = np.unravel_index(found.strength_HW.argmax(), found.strength_HW.shape)
    assert found.strength_HW.max() > threshold
    assert 80 <= y <= 100
    assert 70 <= x <= 170
