"""Why a person should look at a sample: four kinds of doubt, each with how strong it is and what to say.

- `elsewhere`: the activation map lies elsewhere than at the defect: the model may be right for a wrong reason.
- `contested`: the label is in doubt: inspectors contested it, annotations of two classes lie on one another, a
  candidate covers its annotation only in part, or every model is sure of another class.
- `threshold`: the two most probable classes are close.
- `disagree`: models say different things, or the candidate and the champion do.

Every function returns rows of unit, reason, doubt in (0, 1] and text.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from glassline.settings import Settings

#: Kinds of doubt, in the order in which they are told.
REASONS = ("contested", "disagree", "threshold", "elsewhere")

_COLUMNS = ["unit", "reason", "doubt", "text"]


class ReviewSettings(Settings):
    """What comes into the review queue."""

    most: int = Field(100, ge=1, le=2000, description="samples that the queue holds at most, the most doubtful first")
    margin: float = Field(
        0.2, gt=0, le=1, description="difference of the two largest probabilities below which a sample is close"
    )
    sure: float = Field(
        0.9, gt=0, le=1, description="mean probability from which all models contest a label by another class"
    )
    partly: tuple[float, float] = Field(
        (0.1, 0.5), description="overlap [from, below] of candidate and annotation that leaves its class open"
    )


def close_calls(judged: pd.DataFrame, margin: float) -> pd.DataFrame:
    """Return units whose two most probable classes are close.

    Args:
        judged: One row per unit of one model: unit and `p_<class>`.
        margin: Difference of probabilities below which they are.
    """
    columns = [name for name in judged.columns if str(name).startswith("p_")]
    if len(columns) < 2 or judged.empty:
        return reason_rows([])
    p_NC = judged[columns].to_numpy(np.float64)
    order_NC = np.argsort(-p_NC, axis=1)
    rows = []
    for unit, p_C, order_C in zip(judged["unit"], p_NC, order_NC, strict=True):
        one, other = order_C[:2]
        difference = p_C[one] - p_C[other]
        if difference < margin:
            names = " and ".join(f"{columns[at][2:]} {p_C[at]:.2f}" for at in (one, other))
            rows.append((unit, "threshold", 1 - difference / margin or 1e-3, f"close: {names}"))
    return reason_rows(rows)


def split_votes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return units on which models disagree.

    Args:
        predictions: One row per model and unit: model, unit, predicted.
    """
    rows = []
    for unit, votes in predictions.groupby("unit", sort=False):
        by_class = votes.groupby("predicted")["model"].agg(list)
        if len(by_class) > 1:
            largest = max(map(len, by_class))
            said = "; ".join(f"{', '.join(map(str, models))}: {label}" for label, models in by_class.items())
            # Two halves are as much in doubt as votes can be.
            rows.append((unit, "disagree", min(2 * (1 - largest / len(votes)), 1.0), f"models disagree: {said}"))
    return reason_rows(rows)


def duels(compared: pd.DataFrame) -> pd.DataFrame:
    """Return units of the new product on which candidate and champion disagree.

    Args:
        compared: One row per unit as `compare_champion` writes it: unit, product, candidate, champion.
    """
    other = compared[(compared["product"] == "new") & (compared["candidate"] != compared["champion"])]
    other = other[other["champion"].fillna("") != ""]
    return reason_rows(
        (unit, "disagree", 0.5, f"the candidate says {candidate}, the champion {champion}")
        for unit, candidate, champion in _columns(other, "unit", "candidate", "champion")
    )


def contested_by_models(predictions: pd.DataFrame, sure: float) -> pd.DataFrame:
    """Return units of which every model says the same other class than the label, and is sure.

    Args:
        predictions: One row per model and unit: model, unit, actual, predicted, `p_<class>`.
        sure: Mean probability of that class from which the label is contested.
    """
    wrong = predictions.groupby("unit").filter(
        lambda votes: votes["predicted"].nunique() == 1 and votes["predicted"].iloc[0] != votes["actual"].iloc[0]
    )
    rows = []
    for unit, votes in wrong.groupby("unit", sort=False):
        said = str(votes["predicted"].iloc[0])
        p = float(votes[f"p_{said}"].mean()) if f"p_{said}" in votes else float("nan")
        if p >= sure:
            rows.append((unit, "contested", p, f"labelled {votes['actual'].iloc[0]}, all models say {said} ({p:.2f})"))
    return reason_rows(rows)


def partly_covered(patches: pd.DataFrame, partly: Sequence[float]) -> pd.DataFrame:
    """Return units whose candidate covers its annotation only in part, so that its class is open.

    Args:
        patches: Rows of a table of patches: unit, overlap.
        partly: Overlap from which, and below which, it does.
    """
    low, high = partly
    found = patches[(patches["overlap"] >= low) & (patches["overlap"] < high)]
    middle = (low + high) / 2
    return reason_rows(
        (unit, "contested", max(1 - abs(overlap - middle) / (high - low), 1e-3),
         f"candidate and annotation overlap by {overlap:.0%}")
        for unit, overlap in _columns(found, "unit", "overlap")
    )  # fmt: skip


def looked_elsewhere(elsewhere: pd.DataFrame, unit_of: pd.Series) -> pd.DataFrame:
    """Return units whose activation map lies elsewhere than at the defect.

    Args:
        elsewhere: One row per patch as `explain_cam` lists it: id, energy_share.
        unit_of: Unit of each patch, by its id.
    """
    known = elsewhere[elsewhere["id"].isin(unit_of.index)]
    return reason_rows(
        (unit_of[patch], "elsewhere", max(1 - share, 1e-3), f"{share:.0%} of the activation lies at the defect")
        for patch, share in _columns(known, "id", "energy_share")
    )


def ranked(found: Sequence[pd.DataFrame], most: int) -> pd.DataFrame:
    """Return one row per unit, the most doubtful first.

    The doubts of a unit are independent hints: what is left of certainty is the product of (1 - doubt / 2) over its
    reasons, each counted once with its strongest.

    Args:
        found: What the other functions return.
        most: How many units to return at most.

    Returns:
        unit, doubt in (0, 1), reasons (kinds, comma-separated, in the order of REASONS), text (one line each).
    """
    rows = pd.concat(found, ignore_index=True) if found else reason_rows([])
    listed = []
    for unit, hints in rows.groupby("unit", sort=False):
        hints = hints.sort_values("doubt", ascending=False).drop_duplicates("text")
        kinds = [reason for reason in REASONS if (hints["reason"] == reason).any()]
        strongest = hints.groupby("reason")["doubt"].max()
        listed.append((unit, 1 - float(np.prod(1 - strongest / 2)), ", ".join(kinds), "\n".join(hints["text"])))
    queue = pd.DataFrame(listed, columns=["unit", "doubt", "reasons", "text"])
    return queue.sort_values(["doubt", "unit"], ascending=[False, True]).head(most).reset_index(drop=True)


def _columns(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name] for name in names), strict=True)


def reason_rows(rows: Iterable[tuple[object, str, float, str]]) -> pd.DataFrame:
    """Return hints as a table: unit, reason, doubt, text."""
    return pd.DataFrame(list(rows), columns=_COLUMNS)
