"""Defective judged clean, and clean judged defective: the two rates by which every method is measured."""

from collections.abc import Iterable

import numpy as np


def defect_rates(actual: Iterable[str], predicted: Iterable[str], clean_class: str) -> dict[str, float]:
    """Return `fn_rate` and `fp_rate` in [0, 1] of a classifier.

    A defect that is taken for another is no false negative: it is rejected all the same.

    Args:
        actual: Class of each unit.
        predicted: Predicted class of each unit, in the same order.
        clean_class: The class without defect.

    Returns:
        What is defined: `fn_rate` where a unit is defective, `fp_rate` where one is clean; nothing without a clean
        class.
    """
    if not clean_class:
        return {}
    defective_N, rejected_N = (np.array([label != clean_class for label in told]) for told in (actual, predicted))
    found = {}
    if defective_N.any():
        found["fn_rate"] = float(1 - rejected_N[defective_N].mean())
    if not defective_N.all():
        found["fp_rate"] = float(rejected_N[~defective_N].mean())
    return found
