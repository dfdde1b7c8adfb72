import hashlib

import pytest

from glassline.errors import SettingsError
from hardware_ingest.dark_field.glass import draw_glass
from hardware_ingest.dark_field.scene import SceneSettings, make_scene
from hardware_ingest.dark_field.settings import DIFFICULTIES, difficulty_of
from hardware_ingest.zones import demo_grid

# Fixed before anything was trained on them. A figure on a changed preset compares with none before.
FROZEN = {
    "easy": "fa0ef07a17922a1b9a7f5b63daf1cb2f1c333b11fcc6926522e5579ed7b331fb",
    "standard": "3cd2dc4ae2d4a5cd501b0331cfb3f120857aff24442b7f4e0d4212eac4db29a6",
    "hard": "9011ef9133530028e8a0ab3331a2800a4daf1297344b915b1281257d3fd3e8d2",
    "faint": "2f0ec2b6b6d4530163a205bf7ba42df0272f830c85172c948d414cede2cf1c72",
    "unseen": "332967609f3ff26c6657ca78246a3c7d97c2770430a5bbee422f3165b97e1a1d",
}


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_difficulty_is_the_one_that_figures_were_reported_on(name):
    assert hashlib.sha256(difficulty_of(name).model_dump_json().encode()).hexdigest() == FROZEN[name]


def test_difficulty_unseen_differs_from_all_others_in_what_a_model_could_learn_by_heart():
    unseen = difficulty_of("unseen")
    for name in ("easy", "standard", "hard", "faint"):
        other = difficulty_of(name)
        for field in ("pitch_um", "blur_px", "falloff", "dn_per_electron", "read_noise_dn", "specks_per_cm2"):
            assert getattr(unseen, field) != getattr(other, field)


def test_difficulty_unseen_says_that_it_is_never_trained_on():
    assert "NEVER train" in DIFFICULTIES["unseen"].__doc__


def test_difficulty_that_is_unknown_lists_the_known_ones():
    with pytest.raises(SettingsError, match="easy, standard, hard, faint, unseen, got 'brutal'"):
        difficulty_of("brutal")


# Marks on one marked glass, the sum of their rates, and the mean rate of its first zone when clean.
DRAWN = {
    "easy": (38, 2826.8506, 2.36634),
    "standard": (79, 12024.8055, 2.56026),
    "hard": (139, 18506.3601, 4.15514),
    "faint": (79, 12020.4305, 2.56026),
    "unseen": (207, 4809.3200, 2.96107),
}


@pytest.mark.parametrize("name", DIFFICULTIES)
def test_difficulty_still_draws_the_glass_that_figures_were_reported_on(name):
    marks = draw_glass(7, 11, "marked", difficulty_of(name), demo_grid(), 1.0).marks
    seen_HW = make_scene(SceneSettings(seed=11, glass=7, difficulty=name)).place(0, 0).rate((0, 6), 0.0)
    drawn = (len(marks), sum(mark.rate for mark in marks), float(seen_HW.mean()))
    assert drawn == pytest.approx(DRAWN[name], rel=1e-4)
