import numpy as np
import pytest

from glassline.errors import SettingsError
from hardware_ingest.dark_field.scene import SceneSettings, make_scene
from hardware_ingest.devices import LED_GROUPS
from hardware_ingest.zones import ZoneGrid

GRID = ZoneGrid(columns=2, rows=1, width_px=256, height_px=200, overlap_px=32)


def scene(**told):
    return make_scene(SceneSettings(**{"grid": GRID, "seed": 5, **told}))


def shot(of, x_mm=0.0, y_mm=0.0, groups=(0, 6), size_px=(256, 200)):
    return of.expose(x_mm, y_mm, groups, 20_000, 0.0, size_px)


def test_scene_exposures_are_the_same_for_the_same_sequence():
    first, second = scene(), scene()
    for _ in range(2):
        np.testing.assert_array_equal(shot(first), shot(second))


def test_scene_noise_is_fresh_for_every_exposure():
    one = scene()
    assert (shot(one) != shot(one)).mean() > 0.5


def test_scene_frames_do_not_depend_on_the_order_of_places():
    zones = GRID.zones()
    forth, back = scene(), scene()
    there = [shot(forth, zone.x_mm) for zone in zones]
    again = [shot(back, zone.x_mm) for zone in reversed(zones)]
    np.testing.assert_array_equal(there, again[::-1])


def test_scene_capture_is_what_exposing_state_by_state_gives():
    zone, one = GRID.zones()[1], scene()
    _, frames_SHW = scene().capture(zone)
    for state in range(6):
        frame_HW = one.expose(zone.x_mm, zone.y_mm, (state, state + 6), 8000, 0.0, (256, 200))
        np.testing.assert_array_equal(frames_SHW[state], frame_HW)


def test_scene_settings_make_the_same_scene_after_a_trip_through_json():
    settings = SceneSettings(seed=5, glass=3, kind="marked", grid=GRID)
    np.testing.assert_array_equal(
        shot(make_scene(settings)), shot(make_scene(SceneSettings.model_validate_json(settings.model_dump_json())))
    )


@pytest.mark.parametrize("difficulty", ["easy", "standard", "hard", "faint", "unseen"])
def test_scene_every_group_alone_lifts_the_frame_over_the_dark(difficulty):
    one = scene(difficulty=difficulty)
    dark = np.median(shot(one, groups=()))
    alone = [np.median(shot(one, groups=(group,))) - dark for group in range(LED_GROUPS)]
    assert min(alone) > 4
    assert max(alone) < 3 * min(alone)


def test_scene_jitter_is_drawn_for_every_move_with_the_presets_spread():
    one = scene()
    drawn = np.array([one.jitter_mm(x / 10, 0.0, visit) for x in range(100) for visit in range(3)]) * 1000
    assert abs(drawn.mean()) < 1.0
    assert drawn.std() == pytest.approx(one.difficulty.jitter_um, rel=0.1)


def test_scene_shifts_the_view_by_the_jitter():
    one = scene()
    place = one.place(0.5, 0.25)
    assert (place.view.x_mm - 0.5, place.view.y_mm - 0.25) == pytest.approx(one.jitter_mm(0.5, 0.25))


def test_scene_coming_back_to_a_place_is_another_move():
    one = scene()
    assert one.jitter_mm(0, 0, visit=0) != one.jitter_mm(0, 0, visit=1)
    shot(one)
    shot(one, 1.0)
    shot(one)
    assert one._place.view.x_mm == pytest.approx(one.jitter_mm(0, 0, visit=1)[0])


def test_scene_of_a_cropped_region_shows_the_same_glass():
    whole, part = shot(scene()), shot(scene(), size_px=(96, 64))
    assert part.shape == (64, 96)
    assert np.corrcoef(whole[:64, :96].ravel(), part.ravel())[0, 1] > 0.5


def test_scene_far_from_the_glass_is_dark():
    assert abs(np.median(shot(scene(), 500.0)) - np.median(shot(scene(), groups=()))) <= 1


def test_scene_of_an_unknown_preset_is_refused():
    with pytest.raises(SettingsError, match="difficulty must be one of"):
        scene(difficulty="brutal")
