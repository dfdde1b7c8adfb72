"""From patches to units against plain loops."""

import numpy as np
import pandas as pd
import pytest

from glassline.analysis.pooling import judge_units, pool_patches

CLASSES = ("dent", "control", "fold")


def _rows(units: list[str], labels: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"unit": units, "unit_label": labels, "group": [f"g-{unit}" for unit in units]})


@pytest.fixture
def drawn() -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(0)
    units = [f"u{n}" for n in generator.integers(0, 6, 30)]
    return _rows(units, [CLASSES[int(unit[1]) % 3] for unit in units]), generator.dirichlet(np.ones(3), 30)


def _pooled(rows: pd.DataFrame, probability_NC: np.ndarray, clean: str) -> dict[str, list[float]]:
    """The rule of the docstring, in loops."""
    result = {}
    for unit in sorted(set(rows["unit"])):
        of_unit = [probability_NC[n].tolist() for n in range(len(rows)) if rows["unit"].iloc[n] == unit]
        values = []
        for index, name in enumerate(CLASSES):
            column = [one[index] for one in of_unit]
            if not clean:
                values.append(sum(column) / len(column))
            else:
                values.append(min(column) if name == clean else max(column))
        result[unit] = [value / sum(values) for value in values]
    return result


@pytest.mark.parametrize("clean", ["control", ""])
def test_judge_units_equals_loops(drawn, clean):
    rows, probability_NC = drawn
    judged = judge_units(rows, probability_NC, CLASSES, clean)
    expected = _pooled(rows, probability_NC, clean)
    assert list(judged["unit"]) == list(expected)
    np.testing.assert_allclose(judged[[f"p_{name}" for name in CLASSES]], list(expected.values()), atol=1e-12)
    assert list(judged["predicted"]) == [CLASSES[int(np.argmax(values))] for values in expected.values()]
    assert list(judged["actual"]) == [CLASSES[int(unit[1]) % 3] for unit in expected]
    assert list(judged["group"]) == [f"g-{unit}" for unit in expected]


def test_judge_units_decides_by_the_most_defective_candidate_where_there_is_a_clean_class():
    rows, probability_NC = _rows(["u"] * 3, ["dent"] * 3), np.array([[0.1, 0.9, 0], [0.8, 0.2, 0], [0, 1, 0]])
    assert judge_units(rows, probability_NC, CLASSES, "control")["predicted"].tolist() == ["dent"]
    assert judge_units(rows, probability_NC, CLASSES, "")["predicted"].tolist() == ["control"]


@pytest.mark.parametrize("clean", ["control", ""])
def test_judge_units_keeps_the_probabilities_of_a_single_patch(clean):
    probability_NC = np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0]], np.float32)
    judged = judge_units(_rows(["b", "a"], ["fold", "dent"]), probability_NC, CLASSES, clean)
    np.testing.assert_allclose(judged[["p_dent", "p_control", "p_fold"]], probability_NC[::-1], atol=1e-7)


def test_judge_units_ignores_the_index_of_the_rows(drawn):
    rows, probability_NC = drawn
    moved = rows.set_index(np.arange(30)[::-1] + 500)
    pd.testing.assert_frame_equal(
        judge_units(moved, probability_NC, CLASSES, "control"), judge_units(rows, probability_NC, CLASSES, "control")
    )


@pytest.mark.parametrize("clean_class", ["c", ""])
def test_patches_of_one_image_are_pooled_as_those_of_many(clean_class):
    probability_NC = np.random.default_rng(0).dirichlet(np.ones(3), 5)
    rows = pd.DataFrame({"unit": ["a"] * 5, "group": "a", "unit_label": "a"})
    judged = judge_units(rows, probability_NC, ("a", "b", "c"), clean_class)
    found_C = pool_patches(probability_NC, 2 if clean_class else None)
    np.testing.assert_allclose(found_C, judged[["p_a", "p_b", "p_c"]].to_numpy()[0])
