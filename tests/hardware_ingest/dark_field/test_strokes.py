import numpy as np

from hardware_ingest.dark_field.strokes import Stroke


def test_stroke_falls_off_across_as_a_bell_of_its_width_and_the_lens(view, line):
    drawn = line(0.0).draw(view)  # straight down through x = 1 mm
    row = 90
    on_row = drawn.index_N // view.width_px == row
    column_N = drawn.index_N[on_row] % view.width_px
    sigma_px = np.hypot(0.03 / 2.355 / view.pitch_mm, view.blur_px)
    expected_N = [np.exp(-((column - 1.0 / view.pitch_mm) ** 2) / (2 * sigma_px**2)) for column in column_N]
    np.testing.assert_allclose(drawn.level_N[on_row], expected_N, atol=0.01)


def test_stroke_scatters_most_straight_across(view, line):
    turned = (line(30.0).draw(view).normal_deg_N - 30) % 180
    assert np.all(np.minimum(turned, 180 - turned) < 0.1)


def test_stroke_names_every_pixel_once(view, line):
    index_N = line(77.0, width_mm=0.4).draw(view).index_N
    assert len(np.unique(index_N)) == len(index_N)


def test_stroke_has_no_holes_and_round_ends(view, line):
    drawn = line(45.0, width_mm=0.3, length_mm=0.6).draw(view)
    inside_HW = np.zeros((view.height_px, view.width_px), bool)
    inside_HW.ravel()[drawn.index_N[drawn.extent_N > 0.5]] = True
    row_H, column_W = np.mgrid[: view.height_px, : view.width_px]
    near_HW = np.hypot(row_H - 1 / view.pitch_mm, column_W - 1 / view.pitch_mm) < 0.14 / view.pitch_mm
    assert inside_HW[near_HW].all()


def test_stroke_is_cut_by_the_border_of_the_view(view, line):
    shape = line(90.0, length_mm=10.0)
    column_N = shape.draw(view).index_N % view.width_px
    assert {0, view.width_px - 1} <= set(column_N.tolist())


def test_stroke_outside_the_view_has_no_pixel(view, line):
    shape = line(90.0)
    away = Stroke(shape.line_V2 + 50, shape.width_mm, shape.ends_V, shape.grain_V, shape.twist_deg_V)
    assert len(away.draw(view).index_N) == 0


def test_stroke_is_missing_where_it_is_broken(view, line):
    shape = line(0.0)
    ends_V = np.ones(21, np.float32)
    ends_V[8:13] = 0
    broken = Stroke(shape.line_V2, shape.width_mm, ends_V, shape.grain_V, shape.twist_deg_V)
    drawn = broken.draw(view)
    middle = np.abs(drawn.index_N // view.width_px - 1 / view.pitch_mm) < 5
    assert drawn.level_N[middle].max() < 1e-3
