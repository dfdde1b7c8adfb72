"""What the gate decided on, as a figure and as a section of the report; both read what `promote_model` wrote."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassline.analysis.gate_rules import each_confidence
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.style import INK, PALETTE, QUIET, RULE, blank, new_figure, plain, tidy

_CANDIDATE, _CHAMPION, _LIMIT = PALETTE[0], PALETTE[1], PALETTE[3]


def gate_figure(promotion: Mapping[str, Any]) -> Figure:
    """Draw every candidate beside the champion: false negatives, accuracy, recalls, latency, each with its limit.

    Args:
        promotion: The JSON of `promote_model`.
    """
    gate = promotion["gate"]
    candidates = [one for one in promotion["candidates"] if one["figures"]]  # of one that failed nothing is known
    chosen = next(one for one in candidates if one["name"] == promotion["candidate"])
    rows = max(2 * len(candidates), len(chosen["recalls"]), 2)
    fig = new_figure(10.4, 3.2 + 0.42 * rows)
    (missed, right), (recalls, latency) = fig.subplots(2, 2)
    _differences(missed, candidates, "fn", gate)
    _differences(right, candidates, "accuracy", gate)
    _recalls(recalls, chosen)
    _latency(latency, candidates, gate["latency_ms"])
    return fig


def gate_section(promotion: Mapping[str, Any]) -> Section:
    """Return the report's section: the figure, and every candidate's reasons as a table."""
    content = io.BytesIO()
    gate_figure(promotion).savefig(content, format="png", dpi=144)
    tables = [
        SectionTable(
            f"{one['name']}: {'passed' if one['passed'] else 'held back'}",
            [
                {
                    "rule": plain_rule(reason["rule"]),
                    "holds": "yes" if reason["passed"] else "NO",
                    "why": reason["text"],
                }
                for reason in one["reasons"]
            ],
        )
        for one in promotion["candidates"]
    ]
    figures = [PageFigure(content.getvalue(), "Each candidate beside the champion, and the limits of the gate")]
    return Section("The gate", figures, " ".join(f"{note}." for note in promotion["notes"]), tables)


def reason_lines(promotion: Mapping[str, Any]) -> list[str]:
    """Return the reasons of the candidate that was registered, one line each, with a mark before."""
    return [f"{'✓' if one['passed'] else '✗'} {plain_rule(one['rule'])}: {one['text']}" for one in promotion["reasons"]]


def plain_rule(rule: str) -> str:
    """Return a rule's name in words."""
    return rule.replace("_old", ", old product").replace("_", " ")


def _differences(axes: Axes, candidates: Sequence[Mapping[str, Any]], what: str, gate: Mapping[str, float]) -> None:
    """Draw a difference to the champion with its bounds, a line per candidate and product."""
    lines = [
        (one, tail, limit)
        for one in candidates
        for tail, limit in (("", gate["fn_margin"]), ("_old", gate["old_fn_margin"]))
        if f"{what}_difference{tail}" in one["figures"]
    ]
    title = "Rate of false negatives" if what == "fn" else "Accuracy"
    if not lines:
        tidy(axes, title)
        blank(axes, "no champion to compare with")
        return
    axes.axvline(0, color=QUIET, linewidth=0.9)
    for row, (one, tail, limit) in enumerate(lines):
        figures = one["figures"]
        at, low, upper = (100 * figures[f"{what}_{name}{tail}"] for name in ("difference", "low", "upper"))
        axes.plot([low, upper], [row, row], color=_CANDIDATE, linewidth=2.2, solid_capstyle="butt")
        axes.plot(at, row, "o", color=_CANDIDATE if not tail else "white", markeredgecolor=_CANDIDATE, markersize=7)
        if what == "fn":
            axes.plot([100 * limit] * 2, [row - 0.32, row + 0.32], color=_LIMIT, linewidth=2)
    names = [f"{plain(one['name'])}{', old' if tail else ''}" for one, tail, _ in lines]
    axes.set_yticks(range(len(lines)), names)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    hint = "; orange: largest allowed" if what == "fn" else ""
    each = 100 * each_confidence(gate["confidence"], len(candidates))
    tidy(axes, title, f"candidate less champion, points, one-sided {each:.4g} % bounds{hint}", grid="x")


def _recalls(axes: Axes, chosen: Mapping[str, Any]) -> None:
    rows = chosen["recalls"]
    for row, one in enumerate(rows):
        if one["champion"] is not None:
            axes.plot([one["candidate"], one["champion"]], [row, row], color=RULE, linewidth=2.5, zorder=1)
            axes.plot(one["champion"], row, "D", color=_CHAMPION, markersize=7, zorder=2)
        axes.plot(one["candidate"], row, "o", color=_CANDIDATE, markersize=7, zorder=3)
    names = [f"{plain(one['class'])}{', old' if one['product'] == 'old' else ''} ({one['units']})" for one in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-0.03, 1.03)
    key = "candidate (circle), champion (diamond)"
    tidy(axes, f"Recall of each class: {plain(chosen['name'], 40)}", key, grid="x")


def _latency(axes: Axes, candidates: Sequence[Mapping[str, Any]], budget_ms: float) -> None:
    for row, one in enumerate(candidates):
        told = one["figures"]["latency_ms"]
        axes.barh(row, told, height=0.5, color=_CANDIDATE)
        axes.text(told, row, f"  {told:.1f}", va="center", fontsize=9, color=INK)
    axes.axvline(budget_ms, color=_LIMIT, linewidth=2)
    axes.set_yticks(range(len(candidates)), [plain(one["name"]) for one in candidates])
    axes.set_ylim(len(candidates) - 0.4, -0.6)
    axes.set_xlim(0, 1.15 * max(budget_ms, *(one["figures"]["latency_ms"] for one in candidates)))
    tidy(axes, "Time of one unit", "ms, 95th percentile; orange: budget", grid="x")
