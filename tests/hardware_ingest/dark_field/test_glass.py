from collections import Counter

import numpy as np
import pytest

from hardware_ingest.dark_field.glass import draw_glass
from hardware_ingest.dark_field.settings import CONTAMINANTS, DEFECTS, Difficulty
from hardware_ingest.zones import ZoneGrid, demo_grid

GRID = demo_grid()
DIRTY = Difficulty(good_share=0, scratches=3, dents=1, molds=1, folds=1, fingerprints_per_cm2=1)


def glass(number=1, kind="clean", difficulty=DIRTY, rate=0.0, seed=2):
    return draw_glass(number, seed, kind, difficulty, GRID, rate).marks


def of(marks, labels):
    return [mark for mark in marks if mark.label in labels]


def test_glasses_together_hold_every_class_and_form():
    kinds = Counter(mark.kind for number in range(40) for mark in glass(number))
    forms = {f"{profile}-{form}" for profile in ("triangular", "rugged") for form in ("straight", "curved", "broken")}
    assert forms | {"pit", "ring", "crease", "grain", "speck", "fibre", "drop", "smear", "print"} == set(kinds)


def test_glass_is_drawn_from_its_own_child_of_the_seed():
    alone = [mark.shape.bounds_mm for mark in glass(7)]
    glass(6)
    assert [mark.shape.bounds_mm for mark in glass(7)] == alone
    assert [mark.shape.bounds_mm for mark in glass(8)] != alone


def test_glass_without_anything_on_it_has_no_marks():
    clean = Difficulty(
        good_share=1, dust_per_cm2=0, specks_per_cm2=0, fibres_per_cm2=0, stains_per_cm2=0, fingerprints_per_cm2=0
    )
    assert glass(difficulty=clean) == glass(difficulty=clean, kind="marked") == ()


def test_glasses_without_defects_are_the_share_that_was_asked_for():
    good = sum(
        not of(glass(number, difficulty=Difficulty(good_share=0.5, scratches=9)), DEFECTS) for number in range(200)
    )
    assert good / 200 == pytest.approx(0.5, abs=0.1)


def test_defects_lie_on_the_glass():
    width_mm, height_mm = GRID.size_mm
    for number in range(20):
        for mark in of(glass(number), ("scratch", "fold")):
            assert np.all((mark.shape.line_V2 > 0) & (mark.shape.line_V2 < [width_mm, height_mm]))


@pytest.mark.parametrize("rate", [0.0, 0.3, 1.0])
def test_systematic_scratch_is_on_the_share_of_glasses_asked_for(rate):
    share = np.mean([any(mark.systematic for mark in glass(number, rate=rate)) for number in range(150)])
    assert share == pytest.approx(rate, abs=0.1)


def test_systematic_scratch_is_at_the_same_place_of_every_glass():
    (first,), (second,) = ([mark for mark in glass(number, rate=1.0) if mark.systematic] for number in (1, 2))
    assert np.abs(first.shape.line_V2 - second.shape.line_V2).max() < 0.3
    assert first.kind == second.kind


def test_systematic_scratch_changes_nothing_else_on_the_glass():
    with_tool = [mark.shape.bounds_mm for mark in glass(rate=1.0) if not mark.systematic]
    assert with_tool == [mark.shape.bounds_mm for mark in glass(rate=0.0)]


def test_inspector_leaves_every_defect_and_marks_each():
    clean, marked = glass(3), glass(3, "marked")
    assert [mark.rate for mark in of(marked, DEFECTS)] == [mark.rate for mark in of(clean, DEFECTS)]
    assert len(of(marked, ("pen",))) == len(of(clean, DEFECTS)) > 0


def test_inspector_wipes_some_dirt_moves_some_and_leaves_the_rest():
    clean = {mark.rate: mark.shape.bounds_mm for mark in of(glass(3), CONTAMINANTS)}
    marked = {mark.rate: mark.shape.bounds_mm for mark in of(glass(3, "marked"), CONTAMINANTS)}
    stayed = sum(marked.get(rate) == bounds for rate, bounds in clean.items())
    assert set(marked) < set(clean)
    assert 0.55 * len(clean) < stayed < len(marked)


def test_glass_of_the_full_rig_is_as_large_as_its_zones():
    grid = ZoneGrid()
    assert draw_glass(1, 0, "clean", DIRTY, grid).size_mm == grid.size_mm
