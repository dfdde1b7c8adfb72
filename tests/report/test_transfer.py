"""The comparison of networks as a figure and as a page, also where a rate is of nothing."""

import numpy as np
import pandas as pd
import pytest

from glassline.report.transfer import arms_figure
from glassline.report.transfer_page import ARMS, write_transfer_page

FACTS = {"product": "new <b>", "cycle": "1"}
REASONS = pd.DataFrame(
    {
        "source": ["A/dent", "B/pit"],
        "samples": [50, 40],
        "chosen": [True, False],
        "why": ["it is the best", "large"],
    }
)


def _arm(name: str, **changes: object) -> dict[str, object]:
    return {
        "arm": name, "network": "inception_v3", "weights": "random", "sources": [] if name == "none" else ["A/dent"],
        "samples": 50, "target_samples": 1200, "threshold": 0.4, "tpr": 0.75, "tpr_low": 0.5, "tpr_high": 0.9,
        "defective": 8, "tnr": 1.0, "tnr_low": 0.7, "tnr_high": 1.0, "clean": 9, "average_precision": 0.8, **changes,
    }  # fmt: skip


@pytest.fixture
def page(tmp_path):
    """Return the text of the page: page(arms, boxes, figures)."""

    def write(arms, boxes=None, figures=None, warnings=()):
        path = tmp_path / "page.html"
        told = pd.DataFrame(boxes or [])
        write_transfer_page(FACTS, pd.DataFrame(arms), REASONS, told, figures or {}, warnings, path)
        return path.read_text()

    return write


def _box(**changes: object) -> dict[str, object]:
    return {
        "method": "heat map", "defects": 5, "hit": 0.8, "hit_by_centre": 0.6, "hit_by_iou": 0.4, "precision": 0.5,
        "false_per_clean_image": 0.25, "threshold": 0.3, **changes,
    }  # fmt: skip


def test_every_network_is_a_row_of_the_figure():
    figure = arms_figure(pd.DataFrame([_arm(name) for name in ARMS]))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [*ARMS.values()]
    values = {line.get_label(): line.get_xdata().tolist() for line in axes.lines}
    assert values["TPR, defective images"] == [0.75] * 4


def test_the_page_tells_rates_with_their_counts_sources_and_boxes(page, png):
    text = page([_arm(name) for name in ARMS], [_box()], {"heat_1.png": png, "arms.png": png}, ["few images"])
    assert "6 of 8" in text
    assert "9 of 9" in text
    for told in ("75.0%", "80.0%", "1 of 2", "it is the best", "few images", "Heat of test image 1", *ARMS.values()):
        assert told in text
    assert "new <b>" not in text
    assert "What the sources were worth" in text


def test_a_rate_of_nothing_is_told_as_such(page):
    nothing = {"tpr": None, "tpr_low": 0.0, "tpr_high": 1.0, "defective": 0, "average_precision": None}
    arms = [_arm(name, **nothing) for name in ARMS]
    text = page(arms, [_box(hit=None, hit_by_centre=None, hit_by_iou=None, precision=None, defects=0)])
    assert "nan%" not in text
    assert text.count(">none<") == len(ARMS)  # of no defective image, none is found
    figure = arms_figure(pd.DataFrame(arms))
    assert np.isnan(figure.axes[0].lines[0].get_xdata()).all()


def test_a_page_without_boxes_says_nothing_of_them(page):
    assert "Where the defects are" not in page([_arm(name) for name in ARMS])
