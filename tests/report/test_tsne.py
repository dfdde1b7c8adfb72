import base64
import json
import re

import cv2
import numpy as np
import pytest

from glassline.errors import DataError
from glassline.report.tsne import Tracked, tsne_html, tsne_page


def _parts(count, seed=0):
    rng = np.random.default_rng(seed)
    labels = [("dent", "fold")[index % 2] for index in range(count)]
    thumbnails_NHW = rng.integers(0, 256, (count, 112, 112), dtype=np.uint8)
    return rng.normal(size=(count, 2)), labels, ["dent"] * count, [f"id-{i}" for i in range(count)], thumbnails_NHW


def _constant(fragment, name):
    return json.loads(re.search(rf"const {name} = (.*);\n", fragment).group(1))


def test_tsne_html_holds_every_sample_once():
    fragment = tsne_html(*_parts(40))
    figure = _constant(fragment, "figure")
    assert sorted(index for trace in figure["data"] for index in trace["customdata"]) == list(range(40))
    assert _constant(fragment, "samples")[3] == ["id-3", "fold", "dent", "fold"]


def test_tsne_html_draws_wrong_predictions_as_crosses_on_top():
    traces = _constant(tsne_html(*_parts(10)), "figure")["data"]
    assert [trace["marker"]["symbol"] for trace in traces] == ["circle", "x"]
    assert traces[1]["customdata"] == [1, 3, 5, 7, 9]
    assert [(trace["name"], trace["showlegend"]) for trace in traces] == [("dent (5)", True), ("fold (5)", True)]


def test_tsne_html_rings_what_another_model_gets_wrong():
    parts = _parts(10)  # every second sample is a fold that is predicted as a dent
    fragment = tsne_html(*parts, Tracked("cnn", ["fold", "fold", "fold", *parts[1][3:]]))
    ring = _constant(fragment, "figure")["data"][-1]
    assert (ring["name"], ring["customdata"]) == ("cnn is wrong (2)", [0, 2])
    assert "Ringed: the 2 that cnn gets wrong; 2 of them are right here." in fragment
    assert "Ringed" not in tsne_html(*parts)


def test_tsne_html_places_thumbnails_in_order():
    xy_N2, labels, predictions, ids, _ = _parts(40)
    grey_N = np.arange(40, dtype=np.uint8) * 6
    fragment = tsne_html(xy_N2, labels, predictions, ids, np.repeat(grey_N, 112 * 112).reshape(40, 112, 112))
    coded = re.search(r"data:image/jpeg;base64,([^\"]+)", fragment).group(1)
    sheet_HW = cv2.imdecode(np.frombuffer(base64.b64decode(coded), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert sheet_HW.shape == (2 * 64, 32 * 64)
    centres_N = [int(sheet_HW[i // 32 * 64 + 32, i % 32 * 64 + 32]) for i in range(40)]
    assert np.abs(np.array(centres_N) - grey_N.astype(int)).max() <= 3


def test_tsne_html_stays_small_beside_the_library_when_patches_are_noise():
    from plotly.offline import get_plotlyjs

    assert len(tsne_html(*_parts(1000))) - len(get_plotlyjs()) < 5_000_000


def test_tsne_html_offers_no_upload():
    assert 'showSendToCloud: false, plotlyServerURL: ""' in tsne_html(*_parts(5))


def test_tsne_html_draws_one_sample():
    assert "1 samples" in tsne_html(*_parts(1))


def test_tsne_html_refuses_a_missing_thumbnail():
    xy_N2, labels, predictions, ids, thumbnails_NHW = _parts(6)
    with pytest.raises(DataError, match=r"\[6, 6, 6, 6, 5, 6\]"):
        tsne_html(xy_N2, labels, predictions, ids, thumbnails_NHW[:5])


def test_tsne_html_refuses_no_sample():
    with pytest.raises(DataError, match="at least 1"):
        tsne_html(*_parts(0))


def test_tsne_page_is_a_whole_page_and_escapes_its_title():
    page = tsne_page("<p>fragment</p>", "<script>")
    assert page.startswith("<!doctype html>")
    assert "<title>&lt;script&gt;</title>" in page
    assert "<p>fragment</p>" in page
