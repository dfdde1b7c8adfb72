"""The report in a real browser."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from glassline.report.page import LooksElsewhere, PageFigure, ReportContent, Section, SectionTable, Verdict, write_page
from glassline.report.tsne import tsne_html

_COUNT = 60
_HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def page_url(tmp_path_factory) -> str:
    rng = np.random.default_rng(0)
    patches_NHW = rng.integers(0, 256, (_COUNT, 112, 112), dtype=np.uint8)
    png = bytes(cv2.imencode(".png", patches_NHW[0])[1])
    labels = [("dent", "fold", _HOSTILE)[index % 3] for index in range(_COUNT)]
    ids = [f"{_HOSTILE}-{index}" for index in range(_COUNT)]
    xy_N2 = np.stack(np.divmod(np.arange(_COUNT), 8), axis=1).astype(np.float32)
    wide = SectionTable(
        "Errors", [{_HOSTILE * 3: _HOSTILE * 3, **{f"rate {k}": "3 of 120 (2.5 %)" for k in range(15)}}]
    )
    content = ReportContent(
        "Retraining", {"run id": "3f1c" * 8}, verdict=Verdict(True, "cnn", ["better"]),
        models=[{"model": f"model {n}", **{f"metric_{k}": 0.1 for k in range(15)}} for n in range(3)],
        sections=[Section(f"Section {n}", [PageFigure(png, "a patch")], tables=[wide]) for n in range(3)],
        tsne={"cnn": tsne_html(xy_N2, labels, ["dent"] * _COUNT, ids, patches_NHW)}, warnings=[_HOSTILE],
        elsewhere=[LooksElsewhere(_HOSTILE, "dent", "fold", 0.1, png)],
    )  # fmt: skip
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_page(content, path)
    return path.as_uri()


@pytest.fixture(params=["desktop", "phone", "dark"])
def view(request, browser, page_url):
    """An open page that has drawn its plot, with what it complained about and asked for."""
    phone = request.param == "phone"
    context = browser.new_context(
        viewport={"width": 390, "height": 844} if phone else {"width": 1400, "height": 900}, has_touch=phone,
        is_mobile=phone, color_scheme="dark" if request.param == "dark" else "light", reduced_motion="reduce",
    )  # fmt: skip
    opened = context.new_page()
    opened.complaints, opened.requests = [], []
    opened.on("console", lambda message: opened.complaints.append(message.text))
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.on("request", lambda asked: opened.requests.append(asked.url))
    opened.phone = phone
    opened.goto(page_url)
    opened.wait_for_selector(".tsne[data-ready]")
    yield opened
    context.close()


def _centre(view, number):
    view.locator(".tsne-plot").scroll_into_view_if_needed()
    box = view.locator(".tsne .points path").nth(number).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_report_opens_without_complaint_or_request(view, page_url):
    assert view.complaints == []
    assert [url for url in view.requests if not url.startswith(("data:", "blob:"))] == [page_url]


def test_report_loads_every_image(view):
    widths = view.eval_on_selector_all("img", "images => images.map(image => image.naturalWidth)")
    assert len(widths) == 4
    assert all(widths)


def test_report_never_scrolls_sideways_as_a_whole(view):
    assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_report_shows_the_patch_under_pointer_or_finger(view):
    assert view.locator(".tsne-card").is_hidden()
    x, y = _centre(view, 5)
    if view.phone:
        view.touchscreen.tap(x, y)
    else:
        view.mouse.move(x - 2, y - 2)
        view.mouse.move(x, y)
    view.locator(".tsne-card").wait_for(state="visible")
    index = int(view.locator(".tsne-id").inner_text().rsplit("-", 1)[1])
    place = view.locator(".tsne-thumb").evaluate("thumb => getComputedStyle(thumb).backgroundPosition")
    assert view.locator(".tsne-id").inner_text() == f"{_HOSTILE}-{index}"  # as written, not as HTML
    assert place == f"{-146 * (index % 32)}px {-146 * (index // 32)}px"


def test_report_keeps_a_clicked_patch_until_the_next_press(view):
    x, y = _centre(view, 5)
    (view.touchscreen.tap if view.phone else view.mouse.click)(x, y)
    view.locator(".tsne-card.pinned").wait_for(state="visible")
    view.keyboard.press("Escape")
    assert view.locator(".tsne-card").is_hidden()


def test_report_draws_every_sample_and_runs_no_foreign_code(view):
    assert view.locator(".tsne .points path").count() == _COUNT
    assert view.locator("img[src=x]").count() == 0


def test_report_contents_lead_to_their_section_in_a_sandboxed_frame(browser, page_url):
    """MLflow shows pages so: scripts run, but the frame has no origin of its own."""
    opened = browser.new_page(reduced_motion="reduce")
    html = Path(page_url.removeprefix("file://")).read_text(encoding="utf-8")
    opened.evaluate(
        """html => { const frame = document.createElement("iframe"); frame.sandbox = "allow-scripts";
        frame.src = URL.createObjectURL(new Blob([html], { type: "text/html" })); document.body.append(frame); }""",
        html,
    )
    frame = opened.frame_locator("iframe")
    frame.locator(".tsne[data-ready]").wait_for()
    frame.get_by_role("link", name="t-SNE").click()
    top = frame.locator("#tsne").evaluate("section => section.getBoundingClientRect().top")
    opened.close()
    assert abs(top) < 80
