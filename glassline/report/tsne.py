"""An interactive t-SNE plot: point at a sample and see its patch.

The fragment carries plotly.js, its data and all thumbnails as one picture, so it works without network.

Shapes: N samples, H x W pixels.
"""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from glassline.errors import DataError
from glassline.report.style import BRIGHT, INK, colours
from glassline.report.templates import CONTENT_POLICY, data_uri, template

_THUMBNAIL_PX, _COLUMNS, _JPEG_QUALITY = 64, 32, 80
_SYMBOLS = ("circle", "square", "diamond", "triangle-up")
_SIZE_PX, _WRONG_PX, _RING_PX = 8, 13, 20


@dataclass(frozen=True)
class Tracked:
    """Another model's word on the same samples.

    Attributes:
        model: Its name.
        predictions: The class that it predicts for each sample.
    """

    model: str
    predictions: Sequence[str]


def tsne_html(
    xy_N2: npt.NDArray[np.floating],
    labels: Sequence[str],
    predictions: Sequence[str],
    ids: Sequence[str],
    thumbnails_NHW: npt.NDArray[np.uint8],
    tracked: Tracked | None = None,
) -> str:
    """Return an HTML fragment with the plot; pointing, clicking or tapping shows the patch.

    Args:
        xy_N2: Embedding, without unit.
        labels: Actual class of each sample; colours the points.
        predictions: Predicted class; a point where it differs is drawn as a cross.
        ids: Id of each sample.
        thumbnails_NHW: Grey patches, 0 to 255; shown at 64 px.
        tracked: Another model whose errors are ringed.

    Raises:
        DataError: The numbers of points, labels, predictions, ids and thumbnails differ, or are 0.
    """
    others = list(tracked.predictions) if tracked else list(labels)
    sizes = [len(xy_N2), len(labels), len(predictions), len(ids), len(thumbnails_NHW), len(others)]
    if len(set(sizes)) != 1 or sizes[0] == 0:
        raise DataError(
            f"points, labels, predictions, ids, thumbnails and tracked predictions must be as many and at least 1, got "
            f"{sizes}; pass one of each per sample"
        )
    samples = [list(map(str, sample)) for sample in zip(ids, labels, predictions, others, strict=True)]
    ringed_N = np.array([actual != other for _, actual, _, other in samples])
    figure = _scatter(
        np.asarray(xy_N2, np.float64), list(map(str, labels)), list(map(str, predictions)), ringed_N,
        tracked.model if tracked else "",
    )  # fmt: skip
    return template("tsne.html").render(
        plotlyjs=Markup(get_plotlyjs()),  # noqa: S704 - the library's own file
        figure=json.loads(str(figure.to_json())),
        samples=samples,
        sprite=data_uri(_sprite(thumbnails_NHW), "jpeg"),
        columns=_COLUMNS,
        cell_px=_THUMBNAIL_PX,
        wrong=sum(actual != predicted for _, actual, predicted, _ in samples),
        tracked=tracked.model if tracked else "",
        ringed=int(ringed_N.sum()),
        ringed_right=sum(actual == predicted != other for _, actual, predicted, other in samples),
    )


def tsne_page(fragment: str, title: str = "t-SNE of held-out samples") -> str:
    """Return a fragment of `tsne_html` as a page of its own."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>:root{{color-scheme:light dark}}"
        "body{margin:1rem;font-family:system-ui,sans-serif;background:Canvas;color:CanvasText}</style></head>"
        f"<body>{fragment}</body></html>\n"
    )


def _scatter(
    xy_N2: npt.NDArray[np.float64], labels: list[str], predictions: list[str], ringed_N: npt.NDArray[np.bool_],
    ringed_by: str,
) -> Any:  # fmt: skip
    """Return the plot: right predictions first, so that no wrong one lies hidden under them; rings around all."""
    label_N, wrong_N = np.array(labels), np.array(labels) != np.array(predictions)
    names = sorted(set(labels))
    light, dark = colours(names), colours(names, BRIGHT)
    figure = go.Figure()
    for wrong in (False, True):
        for number, name in enumerate(names):
            here_N = np.flatnonzero((label_N == name) & (wrong_N == wrong))
            if not len(here_N):
                continue
            figure.add_scatter(
                x=xy_N2[here_N, 0].round(3).tolist(), y=xy_N2[here_N, 1].round(3).tolist(),
                customdata=here_N.tolist(), mode="markers", hoverinfo="none", legendgroup=str(number),
                # The legend names every class once, by its right ones where there are any.
                showlegend=not wrong or bool(wrong_N[label_N == name].all()), legendrank=number,
                name=_legend_name(name, int((label_N == name).sum())),
                meta={
                    "size": _WRONG_PX if wrong else _SIZE_PX, "inked": wrong, "light": light[name], "dark": dark[name],
                },
                marker={
                    "color": light[name], "opacity": 1 if wrong else 0.75,
                    "symbol": "x" if wrong else _SYMBOLS[number % len(_SYMBOLS)],
                    "line": {"width": 1.6 if wrong else 0.6},
                },
            )  # fmt: skip
    if ringed_by:
        here_N = np.flatnonzero(ringed_N)
        figure.add_scatter(
            x=xy_N2[here_N, 0].round(3).tolist(), y=xy_N2[here_N, 1].round(3).tolist(), customdata=here_N.tolist(),
            mode="markers", hoverinfo="none", name=f"{html.escape(ringed_by)} is wrong ({len(here_N)})",
            meta={"size": _RING_PX, "inked": True, "light": INK, "dark": "#e6e9ed"},
            marker={"symbol": "circle-open", "color": INK, "line": {"width": 1.8}},
        )  # fmt: skip
    quiet = {"visible": False, "showgrid": False, "zeroline": False}
    figure.update_layout(
        template="none", autosize=True, dragmode="zoom", hovermode="closest", hoverdistance=16, showlegend=True,
        margin={"l": 4, "r": 4, "t": 4, "b": 4}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        xaxis=quiet, yaxis={**quiet, "scaleanchor": "x"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#8a949e", "activecolor": "#0072b2"},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
    )  # fmt: skip
    return figure


def _legend_name(name: str, count: int) -> str:
    """Return a class name for plotly, which reads names as HTML: escaped, it is shown as written."""
    return f"{html.escape(name if len(name) <= 24 else name[:23] + '…')} ({count})"


def _sprite(thumbnails_NHW: npt.NDArray[np.uint8]) -> bytes:
    """Return all thumbnails as one JPEG, 32 a row, in the order given."""
    edge = _THUMBNAIL_PX
    rows = -(-len(thumbnails_NHW) // _COLUMNS)
    sheet_HW = np.zeros((rows * edge, _COLUMNS * edge), np.uint8)
    for index, patch_HW in enumerate(thumbnails_NHW):
        top, left = index // _COLUMNS * edge, index % _COLUMNS * edge
        sheet_HW[top : top + edge, left : left + edge] = cv2.resize(
            patch_HW, (edge, edge), interpolation=cv2.INTER_AREA
        )
    return bytes(cv2.imencode(".jpg", sheet_HW, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1])
