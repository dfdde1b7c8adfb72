"""Published figures beside ours."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from glassline.report.style import PALETTE, blank, new_figure, plain, tidy


def published_figure(title: str, published: Mapping[str, float], ours: Mapping[str, float]) -> Figure:
    """Draw each quantity as a pair of bars, each pair on a scale of its own: quantities have no unit in common.

    Args:
        title: Of the whole.
        published: Printed numbers; those that were not measured are drawn alone.
        ours: Measured ones.
    """
    names = list(dict.fromkeys([*published, *ours])) or [""]
    figure = new_figure(7, 0.9 + 0.42 * len(names))
    axes = figure.subplots()
    if names == [""]:
        blank(axes, "no numbers")
        return figure
    for row, name in enumerate(names):
        pair = [published.get(name), ours.get(name)]
        largest = max((abs(value) for value in pair if value is not None), default=0) or 1
        for side, value in enumerate(pair):
            if value is not None:
                place = row + 0.2 * (2 * side - 1)
                axes.barh(place, abs(value) / largest, 0.36, color=PALETTE[side], label=("published", "ours")[side])
                axes.text(abs(value) / largest + 0.01, place, f"{value:.4g}", va="center", fontsize=8.5)
    axes.set_yticks(range(len(names)), [plain(name, 40) for name in names])
    axes.invert_yaxis()
    tidy(axes, title)
    axes.set_xticks([])
    axes.set_xlim(0, 1.25)
    handles = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower right", ncols=2, fontsize=8.5, frameon=False)
    return figure
