"""Captures of the same parts."""

import math

import numpy as np
import pytest

from glassline.analysis.detection_tables import DetectionTables, ImageDefects
from glassline.analysis.repeatability import repeatability
from glassline.errors import DataError

SIZE = (8, 12)


def _capture(*severities):
    """One image with a defect each where a severity is told; the reference has two."""
    boxes = {0: (slice(0, 4), slice(0, 4)), 1: (slice(4, 8), slice(4, 8)), 2: (slice(0, 2), slice(10, 12))}
    index_HW, told = np.zeros(SIZE, np.int32), []
    for place, severity in enumerate(severities):
        if severity is not None:
            told.append(severity)
            index_HW[boxes[place]] = len(told)
    return ImageDefects(index_HW, ["dent"] * len(told), np.repeat(np.array(told)[:, None], 3, axis=1),
                        np.full(len(told), np.nan))  # fmt: skip


def _captures(*captures):
    tables = []
    for capture in captures:
        tables.append(DetectionTables())
        tables[-1].add("a.png", _capture(1.0, 1.0), capture)
    return tables


def test_repeatability_tells_what_is_found_every_time_and_how_severity_spreads():
    told, rows = repeatability(_captures(_capture(5.0, 6.0), _capture(7.0, None, 3.0), _capture(6.0, 8.0)))
    assert (told.captures, told.defects, told.every_time, told.share) == (3, 2, 1, 0.5)
    assert (told.max_sd, told.max_cv, told.extra) == pytest.approx((1, 1 / 6, 1 / 3))
    assert rows["found"].tolist() == [3, 2]
    assert rows["severity_max_sd"].tolist() == pytest.approx([1, math.sqrt(2)])


def test_repeatability_of_defects_never_found_has_no_spread():
    told, rows = repeatability(_captures(_capture(None, None, 2.0), _capture(None, None, 2.0)))
    assert (told.every_time, told.extra) == (0, 1)
    assert math.isnan(told.max_sd)
    assert rows["severity_max_mean"].isna().all()


@pytest.mark.parametrize("count", [0, 1])
def test_repeatability_of_one_capture_is_refused(count):
    with pytest.raises(DataError, match="two captures or more"):
        repeatability(_captures(*[_capture(5.0)] * count))
