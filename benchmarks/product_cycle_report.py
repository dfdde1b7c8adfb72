"""The product cycle's figures as a result for the page, and a learning curve."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy import stats

from glassline.bench.code import library_code
from glassline.bench.record import Block, Record
from glassline.bench.run import machine
from glassline.report.figures import save_figure
from glassline.report.learning_curve import over_amounts
from glassline.report.style import INK, colours, new_figure

_SCORES = {"accuracy": "accuracy", "fn_rate": "false negatives"}

_HEAD = ("labelled a class", "arm", "draws", *_SCORES.values())
_LEGEND = (
    "± is the 95 % interval over draws (Student's t); where it is missing, there is one draw, or the one champion. "
    "False negatives: share of defects called clean."
)


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Return mean and half the 95 % interval (Student's t over draws) of each score, by number and arm."""
    told = []
    for (number, arm), group in rows.groupby(["per_class", "arm"], sort=False):
        entry = {"per_class": int(number), "arm": arm, "draws": len(group)}
        for score in _SCORES:
            values_N = group[score].to_numpy()
            half = np.nan  # of one draw
            if len(values_N) > 1:
                half = stats.t.ppf(0.975, len(values_N) - 1) * values_N.std(ddof=1) / np.sqrt(len(values_N))
            entry |= {score: values_N.mean(), f"{score}_half": half}
        told.append(entry)
    return pd.DataFrame(told).sort_values("per_class", kind="stable", ignore_index=True)


def write_report(rows: pd.DataFrame, model: str, tested: int, command: str, out: Path) -> None:
    """Write the result, for `glassline bench --write PAGE --from OUT/results`, and product_cycle.png."""
    found = summary(rows)
    scores = [[_score(row[name], row[f"{name}_half"]) for name in _SCORES] for row in found.to_dict("records")]
    cells = [
        (str(row["per_class"]), row["arm"], str(row["draws"]), *told)
        for row, told in zip(found.to_dict("records"), scores, strict=True)
    ]
    chosen = rows.dropna(subset=["sources"])["sources"].map(", ".join).value_counts().to_dict()
    times = "; ".join(f"{names}, {count} times" for names, count in chosen.items())
    record = Record(
        name="product-cycle", title="Product cycle", system="platform", order=9, command=command,
        data="simulated line-scan of two products", machine=machine(), code=library_code(),
        protocol=f"`{model}`, tested on {tested} candidates of glasses of product 2 that nothing was drawn from",
        body=(Block(text=_LEGEND), Block(columns=_HEAD, rows=tuple(cells)), Block(text=f"Sources chosen: {times}.")),
    )  # fmt: skip
    print(f"written: {record.write(out / 'results')}")
    save_figure(_figure(found), out / "product_cycle.png")


def _score(mean: float, half: float) -> str:
    return f"{mean:.3f} ± {half:.3f}" if half == half and half > 0 else f"{mean:.3f}"


def _figure(found: pd.DataFrame) -> Figure:
    tint, numbers = colours(found["arm"]), sorted(found["per_class"].unique())
    fig = new_figure(10.4, 4.4)
    for axes, (score, title) in zip(fig.subplots(1, 2), _SCORES.items(), strict=True):
        for name, rows in found.groupby("arm", sort=False):
            axes.errorbar(
                rows["per_class"], rows[score], rows[f"{score}_half"], fmt="o-", color=tint[name], linewidth=1.9,
                markersize=4.5, capsize=3, label=name,
            )  # fmt: skip
        over_amounts(axes, title, "labelled candidates of a class", numbers)
    handles, labels = axes.get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=4, fontsize=9, frameon=False, labelcolor=INK)
    return fig
