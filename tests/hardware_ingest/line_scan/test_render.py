import numpy as np
import pytest

from hardware_ingest.line_scan.places import GATES_MM, SECOND_GATES_MM, place_spots
from hardware_ingest.line_scan.render import draw_view, render_glass
from hardware_ingest.line_scan.settings import CLASSES, HEIGHT_PX, LineScanSettings, second_product
from hardware_ingest.line_scan.spots import CONTRAST, RADIUS_PX, draw_spot

ALIKE = LineScanSettings(location="uninformative")


def places_mm(category, settings, count=300):
    """Return x and y in mm of spots of one class, each alone on its glass."""
    rng = np.random.default_rng(0)
    return np.array([place_spots([category], settings, rng)[0] for _ in range(count)]) / 10


def test_glass_holds_every_class_with_control_the_most():
    _, spots = render_glass(0, 0, LineScanSettings(), 12)
    counts = [sum(spot.category == name for spot in spots) for name in CLASSES]
    assert min(counts) >= 1
    assert counts[CLASSES.index("control")] == max(counts) in (6, 7)


def test_glass_shows_only_the_spots_asked_for():
    whole_HW, spots = render_glass(1, 0, LineScanSettings(), 12)
    fewer_HW, first = render_glass(1, 0, LineScanSettings(), 5)
    assert [spot.kind for spot in first] == [spot.kind for spot in spots[:5]]
    y, x = spots[5].y_px, spots[5].x_px
    around = np.s_[y - RADIUS_PX : y + RADIUS_PX, x - RADIUS_PX : x + RADIUS_PX]
    assert (whole_HW[around] != fewer_HW[around]).any()


def test_spots_lie_a_window_apart_and_inside_the_view():
    rng = np.random.default_rng(0)
    for _ in range(50):
        placed = place_spots(["mold"] * 12, LineScanSettings(), rng)
        for number, (x, y) in enumerate(placed):
            assert 56 <= x <= 750 - 56
            assert 56 <= y <= 1500 - 56
            assert all(max(abs(x - u), abs(y - v)) >= 112 for u, v in placed[:number])


def test_places_tell_the_class_when_informative():
    mold, dent, fold = (places_mm(name, LineScanSettings()) for name in ("mold", "dent", "fold"))
    near = [min(np.hypot(x - u, y - v) for u, v in GATES_MM) < 15 for x, y in mold]
    assert np.mean(near) > 0.85
    assert np.mean(np.abs(dent[:, 1] - 75) < 30) > 0.85
    assert np.mean(np.minimum(fold[:, 0], 75 - fold[:, 0]) < 15) > 0.85


def test_places_are_the_same_for_all_classes_when_uninformative():
    drawn = [places_mm(name, ALIKE, count=20) for name in CLASSES]
    assert all((one == drawn[0]).all() for one in drawn)


@pytest.mark.parametrize("category", CLASSES)
def test_spot_has_a_stated_contrast_and_fades_out(category):
    rng = np.random.default_rng(0)
    for _ in range(40):
        _, mark_HW = draw_spot(category, rng)
        assert mark_HW.shape == (2 * RADIUS_PX + 1,) * 2
        assert CONTRAST[0] <= np.abs(mark_HW).max() <= CONTRAST[1] * 1.0001
        border = np.concatenate([mark_HW[0], mark_HW[-1], mark_HW[:, 0], mark_HW[:, -1]])
        assert not border.any()


def test_dent_and_mold_share_a_kind_of_mark():
    rng = np.random.default_rng(0)
    kinds = {name: {draw_spot(name, rng)[0] for _ in range(60)} for name in ("dent", "mold")}
    assert kinds["dent"] & kinds["mold"] == {"press"}


def test_every_spot_stands_out_of_the_glass():
    from glassline.vision.candidates import CandidateSettings, find_candidates

    grey_HW, spots = render_glass(0, 7, LineScanSettings(), 12)
    found = find_candidates(grey_HW, CandidateSettings(per_image=30))
    centres = [(one.x_px + one.width_px / 2, one.y_px + one.height_px / 2) for one in found]
    for spot in spots:
        assert any(max(abs(x - spot.x_px), abs(y - spot.y_px)) < RADIUS_PX for x, y in centres)


def test_light_and_grain_change_what_reaches_the_camera():
    def view(**told):
        return draw_view(LineScanSettings(**told), 0, np.random.default_rng(0))[0]

    plain_HW = view()
    np.testing.assert_allclose(view(light=0.7), 0.7 * plain_HW, rtol=1e-5)
    smooth_HW = view(grain=0)
    np.testing.assert_allclose(view(grain=3) - smooth_HW, 3 * (plain_HW - smooth_HW), atol=1e-3)


def test_marks_of_the_second_product_are_fainter_and_smaller():
    (kind, first_HW), (same, second_HW) = (draw_spot("mold", np.random.default_rng(0), size) for size in (1.0, 0.75))
    assert kind == same
    seen = [int((np.abs(one) > 0.25 * np.abs(one).max()).sum()) for one in (first_HW, second_HW)]
    assert seen[1] < 0.8 * seen[0]
    spots = [render_glass(0, 0, LineScanSettings(contrast=contrast), 12)[1] for contrast in (1.0, 0.5)]
    np.testing.assert_allclose(spots[1][0].mark_HW, 0.5 * spots[0][0].mark_HW)


def test_marks_of_the_second_design_have_other_usual_places():
    def places(category):
        rng = np.random.default_rng(0)
        return [place_spots([category], second_product(), rng)[0] for _ in range(200)]

    near = [min(np.hypot(x / 10 - u, y / 10 - v) for u, v in SECOND_GATES_MM) < 15 for x, y in places("mold")]
    assert np.mean(near) > 0.85
    assert np.mean([min(y, HEIGHT_PX - y) < 250 for _, y in places("fold")]) > 0.85
