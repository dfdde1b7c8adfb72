"""From severity to defects."""

import itertools

import numpy as np
import pytest

from glassline.vision.defects import DefectSettings, defect_mask, find_defects, join_clusters


def _joined_by_loops(mask_RC, cell_px, join_px):
    """Return clusters as sets of cells, joined pair by pair."""
    clusters = [{tuple(map(int, cell))} for cell in np.argwhere(mask_RC)]

    def near(one, other):
        return any(
            cell_px * np.hypot(max(abs(a - c) - 1, 0), max(abs(b - d) - 1, 0)) < join_px
            or max(abs(a - c), abs(b - d)) <= 1
            for (a, b), (c, d) in itertools.product(one, other)
        )

    while True:
        pair = next((pair for pair in itertools.combinations(clusters, 2) if near(*pair)), None)
        if pair is None:
            return {frozenset(one) for one in clusters}
        clusters = [one for one in clusters if one not in pair] + [pair[0] | pair[1]]


@pytest.mark.parametrize(("cell_px", "join_px"), [(4, 4.0), (2, 4.0), (1, 4.0), (1, 0.0), (2, 9.0)])
def test_join_clusters_equals_plain_loops(cell_px, join_px):
    rng = np.random.default_rng(0)
    for _ in range(4):
        mask_RC = rng.random((14, 17)) < 0.06
        index_RC = join_clusters(mask_RC, cell_px, join_px)
        found = {
            frozenset(tuple(map(int, cell)) for cell in np.argwhere(index_RC == number))
            for number in range(1, index_RC.max() + 1)
        }
        assert found == _joined_by_loops(mask_RC, cell_px, join_px)


def test_find_defects_measures_cells_within_the_image():
    severity_RC = np.zeros((5, 5))
    severity_RC[1, 1:3] = 6, 4
    severity_RC[4, 4] = 8  # of which 2 x 3 px lie within
    found = find_defects(severity_RC, 4, (18, 19), DefectSettings(threshold=4))
    assert [one.bbox_px for one in found] == [(16, 16, 3, 2), (4, 4, 8, 4)]
    assert [one.area_px for one in found] == [6, 32]
    assert [one.severity_integrated for one in found] == [48, 160]
    assert (found[1].severity_max, found[1].severity_mean) == (6, 5)


def test_find_defects_passes_over_small_ones():
    severity_RC = np.zeros((5, 5))
    severity_RC[0, 0], severity_RC[3:, 3:] = 9, 5
    found = find_defects(severity_RC, 4, (20, 20), DefectSettings(threshold=4, least_px=17))
    assert [one.severity_max for one in found] == [5]


def test_find_defects_finds_none_under_the_threshold():
    assert find_defects(np.full((4, 4), 3.9), 4, (16, 16), DefectSettings(threshold=4)) == []


def test_defect_mask_is_of_the_size_of_the_box():
    (one,) = find_defects(np.eye(3) * 9, 4, (11, 12), DefectSettings(threshold=4))
    mask_HW = defect_mask(one, 4, (11, 12))
    assert mask_HW.shape == (11, 12)
    assert mask_HW[:4, :4].all()
    assert not mask_HW[:4, 4:].any()
