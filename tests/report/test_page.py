import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from glassline.errors import DataError
from glassline.report.page import LooksElsewhere, PageFigure, Section, Verdict, write_page
from glassline.report.tsne import tsne_html

_HOSTILE = "<script>alert('x')</script>"


class _Page(HTMLParser):
    """Collect ids, links, images and text outside scripts and styles."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.targets, self.images, self.tags, self.text, self._raw = [], [], [], [], "", 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append(tag)
        self.ids += [found["id"]] if "id" in found else []
        self.targets += [value for name, value in attrs if name in {"src", "href", "srcset", "action", "data"}]
        self.images += [found] if tag == "img" else []
        self._raw += tag in {"script", "style"}

    def handle_endtag(self, tag):
        self._raw -= tag in {"script", "style"}

    def handle_data(self, data):
        self.text += "" if self._raw else data


@pytest.fixture
def written(content, tmp_path):
    def write(**replaced):
        write_page(content(**replaced), tmp_path / "report.html")
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return write


def _fragment(name="dent"):
    thumbnails_NHW = np.full((6, 112, 112), 80, np.uint8)
    return tsne_html(
        np.arange(12.0).reshape(6, 2), [name] * 6, ["fold"] * 6, [f"{name}{i}" for i in range(6)], thumbnails_NHW
    )


def test_page_shows_every_part(written):
    text = _Page(written()).text
    for part in ("Retraining", "3f1c", "Promoted", "cnn is the champion", "McNemar p = 0.001", "few groups", "0.9000",
                 "< 0.0001", "1,200", "All folds.", "matrix of cnn", "7 % inside", "glass-1.png"):  # fmt: skip
        assert part in text


def test_page_lists_every_part_in_its_contents(written):
    page = _Page(written(tsne={"cnn": _fragment()}))
    linked = [target[1:] for target in page.targets if target.startswith("#")]
    assert linked == ["verdict", "warnings", "models", "significance", "classes", "section-1", "tsne", "elsewhere"]
    assert set(linked) <= set(page.ids)


def test_page_says_so_when_the_champion_was_kept(written):
    assert "Kept" in _Page(written(verdict=Verdict(False, "version 2 stays", ["not better"]))).text


def test_page_stands_with_nothing_to_show(written):
    page = _Page(
        written(significance=[], per_class=[], sections=[Section("None", [])], warnings=(), elsewhere=(), tsne={},
                highlights={}, facts={})
    )  # fmt: skip
    assert page.text.count("Nothing to show.") == 2
    assert "warnings" not in page.ids
    assert "No sample's activation lies elsewhere" in page.text


def test_page_without_models_has_no_sections_about_them(written):
    page = _Page(written(models=[]))
    assert "verdict" in page.ids
    assert not {"models", "significance", "classes", "tsne", "elsewhere"} & set(page.ids)


def test_page_escapes_hostile_names_everywhere(written, png):
    html = written(
        title=_HOSTILE, facts={_HOSTILE: _HOSTILE}, verdict=Verdict(True, _HOSTILE, [_HOSTILE]),
        models=[{_HOSTILE: _HOSTILE, "model": _HOSTILE}], significance=[{"model": _HOSTILE}],
        per_class=[{"class": _HOSTILE}], sections=[Section(_HOSTILE, [PageFigure(png, _HOSTILE + '"')], _HOSTILE)],
        warnings=[_HOSTILE], elsewhere=[LooksElsewhere(_HOSTILE + '"', _HOSTILE, _HOSTILE, 0.1, png)],
        highlights={_HOSTILE: _HOSTILE}, tsne={_HOSTILE: _fragment(_HOSTILE)},
    )  # fmt: skip
    assert _HOSTILE not in html
    assert _Page(html).tags.count("script") == 3  # ours, the plot's and plotly.js
    assert _HOSTILE in _Page(html).text  # shown as written


def test_page_asks_nothing_of_the_network(written):
    html = written(tsne={"cnn": _fragment()})
    assert all(target.startswith(("#", "data:")) for target in _Page(html).targets)
    assert "default-src 'none'" in unescape(html)
    styles = "".join(re.findall(r"<style>.*?</style>", html, re.DOTALL))
    assert "@import" not in styles
    assert all(target.startswith('"data:') for target in re.findall(r"url\((.{6})", styles))


def test_page_describes_and_sizes_every_image(written):
    images = _Page(written()).images
    assert [(image["alt"], image["width"]) for image in images] == [
        ("matrix of cnn", "30"),
        ("patch glass-1.png", "30"),
    ]


def test_page_shows_the_least_inside_first_and_counts_the_rest(written, png):
    many = [LooksElsewhere(f"id-{index}", "dent", "dent", index / 100, png) for index in reversed(range(75))]
    page = _Page(written(elsewhere=many))
    assert "75 samples" in page.text
    assert "the first 60 are shown" in page.text
    assert [image["alt"] for image in page.images[1:]] == [f"patch id-{index}" for index in range(60)]


def test_page_embeds_plotly_once(written):
    both = written(tsne={"cnn": _fragment(), "triplet": _fragment()})
    assert (both.count("plotly.js v"), both.count('class="tsne-plot"')) == (1, 2)


def test_page_refuses_a_figure_that_is_no_png_and_writes_nothing(content, tmp_path):
    with pytest.raises(DataError, match="must be the bytes of a PNG"):
        write_page(content(sections=[Section("A", [PageFigure(b"GIF89a", "x")])]), tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
