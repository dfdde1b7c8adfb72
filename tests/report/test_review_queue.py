"""The page of the review queue, and what the report shows of it."""

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline.report.figures import save_figure
from glassline.report.review_queue import PAGE, QUEUE, SHEET, queue_sheet, review_sections, write_queue_page

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def queue():
    picture = bytes(cv2.imencode(".png", np.zeros((336, 336), np.uint8))[1])
    row = {
        "id": f"{HOSTILE}@1.2.3.4~01234567", "label": "dent", "predicted": HOSTILE, "doubt": 0.5, "text": HOSTILE,
        "reasons": "threshold, disagree", "x_px": 20, "y_px": 30, "width_px": 10, "height_px": 5, "crop_x_px": -30,
        "crop_y_px": 0, "crop_px": 100, "picture": picture,
    }  # fmt: skip
    return pd.DataFrame([row, {**row, "reasons": "threshold"}])


def test_page_places_the_mark_and_escapes_what_comes_from_outside(queue, tmp_path):
    write_queue_page(queue, ["dent", HOSTILE], HOSTILE, {"data": HOSTILE}, tmp_path / PAGE)
    page = (tmp_path / PAGE).read_text()
    assert "left:50.0%;top:30.0%;width:10.0%;height:5.0%" in page
    assert HOSTILE not in page
    assert "threshold (2)" in page


def test_report_counts_reasons_and_shows_the_sheet(queue, tmp_path):
    queue.to_parquet(tmp_path / QUEUE)
    save_figure(queue_sheet(queue), tmp_path / SHEET)
    (section,) = review_sections(str(tmp_path))
    assert list(section.tables[0].rows) == [
        {"reason": "threshold", "samples": 2}, {"reason": "disagree", "samples": 1}
    ]  # fmt: skip
    assert len(section.figures) == 1


def test_report_says_when_nothing_is_in_doubt(queue, tmp_path):
    queue.head(0).to_parquet(tmp_path / QUEUE)
    (section,) = review_sections(str(tmp_path))
    assert section.note == "No sample is in doubt."
