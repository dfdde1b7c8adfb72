"""How often the gate errs: pairs of equal models, of a better one, and of one that is better but misses more defects.

    python benchmarks/gate.py --out runs/gate

Draws what both models say of every unit, with known rates, and puts it through the gate as `promote_model` does. Half
of the units are clean, half defective of three kinds. A model goes wrong on a unit as the other does in half of all
cases. On glasses of several units, half of these share their fate.
"""

import gc
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from statsmodels.stats.proportion import proportion_confint

from glassline.analysis.compared import Compared
from glassline.analysis.gate import best, judge_candidates
from glassline.analysis.gate_settings import GateSettings
from glassline.report.figures import save_figure
from glassline.report.style import INK, colours, new_figure, tidy

_KINDS = ("dent", "mold", "fold")
_COUPLED = 0.5
_GAIN = 0.03


@dataclass(frozen=True)
class Case:
    """What is drawn.

    Attributes:
        units: Units that both judge.
        accuracy: Of the champion.
        fn_rate: Share of defective units that the champion judges clean.
        gain: Candidate's accuracy less the champion's.
        fn_gain: Candidate's rate of false negatives less the champion's.
        candidates: Candidates in one cycle, all alike.
        per_glass: Units of a glass.
    """

    units: int
    accuracy: float
    fn_rate: float
    gain: float = 0.0
    fn_gain: float = 0.0
    candidates: int = 1
    per_glass: int = 1


def main(
    out: Annotated[Path, typer.Option(help="folder for gate.json, gate.md and gate_power.png")],
    pairs: Annotated[int, typer.Option(min=10, help="pairs of a case")] = 200,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw every case and write what share was promoted."""
    equal = [
        Case(units, accuracy, fn_rate, candidates=candidates, per_glass=per_glass)
        for units in (300, 1000)
        for accuracy, fn_rate in ((0.85, 0.1), (0.95, 0.04))
        for candidates, per_glass in ((1, 1), (3, 1), (1, 4))
    ]
    better = [
        Case(units, accuracy, fn_rate, gain=_GAIN, fn_gain=-fn_rate * _GAIN / (1 - accuracy))
        for accuracy, fn_rate in ((0.85, 0.1), (0.95, 0.04))
        for units in (300, 600, 1000, 2000, 4000)
    ]
    # As accurate a gain, with as many more misses as the margin allows: may pass in 5 of 100 cases.
    at_margin = [
        Case(units, 0.85, 0.05, gain=0.06, fn_gain=GateSettings().fn_margin, candidates=candidates)
        for candidates in (1, 4)
        for units in (300, 1000)
    ]
    out.mkdir(parents=True, exist_ok=True)
    named = {"equal": equal, "better": better, "at_margin": at_margin}
    with ProcessPoolExecutor() as pool:
        coming = {name: [pool.submit(_share, case, pairs, seed) for case in cases] for name, cases in named.items()}
        found = {
            name: [{**asdict(case), **told.result()} for case, told in zip(named[name], coming[name], strict=True)]
            for name in named
        }
    (out / "gate.json").write_text(json.dumps({"pairs": pairs, "seed": seed, **found}, indent=2))
    (out / "gate.md").write_text("\n\n".join(_table(name, rows) for name, rows in found.items()) + "\n")
    _power(pd.DataFrame(found["better"]), out / "gate_power.png")
    print((out / "gate.md").read_text())


def _share(case: Case, pairs: int, seed: int) -> dict[str, float]:
    """Return the share of pairs in which a candidate was promoted, with its 95 % Wilson interval, and what held."""
    gc.freeze()  # the correction for several candidates collects garbage each time
    rng = np.random.default_rng(seed)
    promoted, held = 0, dict.fromkeys(("false_negatives", "significance", "recall"), 0)
    for _ in range(pairs):
        judged = judge_candidates(_drawn(case, rng), GateSettings())
        promoted += best(judged) is not None
        for reason in judged[0].reasons:
            if reason.rule in held:
                held[reason.rule] += reason.passed
    low, high = proportion_confint(promoted, pairs, method="wilson")
    return {"promoted": promoted / pairs, "low": low, "high": high, **{k: v / pairs for k, v in held.items()}}


def _drawn(case: Case, rng: np.random.Generator) -> list[Compared]:
    """Draw what champion and candidates say of one set of units."""
    is_clean = np.arange(case.units) % 2 == 0
    actual = np.where(is_clean, "clean", rng.choice(_KINDS, case.units))
    glass = rng.permutation(case.units) // case.per_glass
    luck = _luck(glass, case, rng)
    champion = _says(actual, luck, case.accuracy, case.fn_rate)
    names = [f"u{n}" for n in range(case.units)]
    answers = pd.DataFrame({"unit": names, "group": [f"g{n}" for n in glass], "product": "new", "actual": actual,
                            "champion": champion, "seen": False})  # fmt: skip
    found = []
    for number in range(case.candidates):
        other = np.where(rng.random(case.units) < _COUPLED, luck, _luck(glass, case, rng))
        candidate = _says(actual, other, case.accuracy + case.gain, case.fn_rate + case.fn_gain)
        found.append(
            Compared(
                candidate={"name": f"m{number}"}, export_run="", product="P", cycle="1", data_hash="", champion="1",
                clean_class="clean", parity={"largest_difference": 0.0, "tolerance": 1e-4},
                latency_ms={"median": 1.0, "p95": 1.0, "units": 1, "threads": 1, "machine": ""},
                answers=answers.assign(candidate=candidate),
            )
        )  # fmt: skip
    return found


def _luck(glass: np.ndarray, case: Case, rng: np.random.Generator) -> np.ndarray:
    """Return a number in [0, 1) for each unit; on glasses of several, half of the units have the glass's own."""
    own = rng.random(case.units)
    if case.per_glass == 1:
        return own
    return np.where(rng.random(case.units) < _COUPLED, rng.random(case.units)[glass], own)


def _says(actual: np.ndarray, luck: np.ndarray, accuracy: float, fn_rate: float) -> np.ndarray:
    """Return a model's answers: the least lucky are missed, the next are taken for another class."""
    wrong = 1 - accuracy
    if not 0 <= fn_rate <= wrong:
        raise ValueError(f"fn_rate must be in [0, {wrong:g}], got {fn_rate:g}")
    following = dict(zip(_KINDS, (*_KINDS[1:], _KINDS[0]), strict=True)) | {"clean": "dent"}
    mistaken = np.array([following[one] for one in actual])
    missed = np.where(actual == "clean", mistaken, "clean")
    return np.where(luck < fn_rate, missed, np.where(luck < wrong, mistaken, actual))


def _table(name: str, rows: list[dict[str, float]]) -> str:
    head = "| units | accuracy | FN rate | gain | FN change | candidates | units a glass | promoted | 95 % interval |"
    lines = [f"### {name}", "", head, "|---:|" + "---:|" * 8]
    for row in rows:
        lines.append(
            f"| {row['units']} | {row['accuracy']:.2f} | {row['fn_rate']:.2f} | {100 * row['gain']:+.0f} | "
            f"{100 * row['fn_gain']:+.1f} | {row['candidates']} | {row['per_glass']} | {row['promoted']:.1%} | "
            f"{row['low']:.1%} to {row['high']:.1%} |"
        )
    return "\n".join(lines)


def _power(rows: pd.DataFrame, path: Path) -> None:
    """Draw the share promoted over units, a line per accuracy of the champion."""
    fig = new_figure(6.8, 4.2)
    axes = fig.add_subplot()
    tint = colours(sorted(set(rows["accuracy"])))  # type: ignore[arg-type]
    for accuracy, group in rows.groupby("accuracy"):
        told = f"champion right on {accuracy:.0%}".replace("%", " %")
        spread = [group["promoted"] - group["low"], group["high"] - group["promoted"]]
        axes.errorbar(group["units"], group["promoted"], yerr=np.abs(spread), color=tint[accuracy], marker="o",
                      markersize=5, capsize=3, linewidth=1.8, label=told)  # fmt: skip
    axes.set_xscale("log")
    ticks = sorted(set(rows["units"]))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(-0.03, 1.03)
    tidy(axes, "Share of candidates promoted that are 3 points better", "units that both judge", "", grid="y")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    save_figure(fig, path)


if __name__ == "__main__":
    typer.run(main)
