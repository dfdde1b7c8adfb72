"""How alike classes are and how much samples of one class differ, before anything is trained.

Source: system B of the reading, section 3.1 and Fig. 5: where classes are more alike than samples of one class,
inputs are likely to be misclassified. How it was measured is not printed: here by distances to the nearest sample.
Shapes: N samples, F features, C classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.errors import DataError

#: What a pair shows.
INTER, INTRA = "inter-class similarity", "intra-class difference"
_PAIRS = 12


@dataclass(frozen=True)
class InputVariation:
    """Distances between samples of different groups, in units of the features; NaN where there is no such pair.

    Attributes:
        nearest_CC: Median distance from a sample of the row's class to the nearest sample of the column's.
        samples: One row per sample: `id`, `label`, `own_distance` and `other_distance` to the nearest sample of its own
            and of any other class.
        classes: One row per class: `label`, `samples`, `groups`, medians of `own_distance` and `other_distance`,
            `spread` (median distance of two of its samples), `nearest_class` (of the least median in `nearest_CC`,
            "" where there is none), `confusable_share` (share of samples nearer to another class than to any of their
            own) and `chance_share` (what it would be if features said nothing).
        pairs: The hardest pairs, hardest first within each kind: `kind` (`INTER`: most alike of different classes,
            `INTRA`: most different of one class), `id`, `other_id`, `label`, `other_label`, `distance`.
        confusable_share: `confusable_share` of all samples.
    """

    nearest_CC: pd.DataFrame
    samples: pd.DataFrame
    classes: pd.DataFrame
    pairs: pd.DataFrame
    confusable_share: float


def input_variation(
    rows: pd.DataFrame, features_NF: npt.NDArray[np.floating], classes: Sequence[str]
) -> InputVariation:
    """Measure inter-class similarity and intra-class difference.

    Samples of one group, such as one part under several exposures, are never neighbours: they would make a class look
    easier than it is. The more samples a class has, the nearer is the nearest of them: draw as many of each. Memory
    grows with the square of N: a few thousand at most.

    Args:
        rows: One row per sample: `id`, `label` and `group`.
        features_NF: What is compared, such as `gradient_histograms`.
        classes: Class names in the order to list them; those without a sample are left out.

    Raises:
        DataError: Samples are of fewer than two classes.
    """
    label_N, group_N = rows["label"].to_numpy(), rows["group"].to_numpy()
    present = [name for name in classes if (label_N == name).any()]
    if len(present) < 2:
        raise DataError(f"classes are compared from two on, got samples of {present}; add samples of another class")
    from scipy.spatial.distance import cdist

    distance_NN = cdist(features_NF, features_NF)
    distance_NN[group_N[:, None] == group_N] = np.inf
    same_NN = label_N[:, None] == label_N
    nearest_NC = _known(np.stack([distance_NN[:, label_N == name].min(axis=1) for name in present], axis=1))
    nearest_CC = pd.DataFrame(nearest_NC, columns=present).groupby(label_N).median().loc[present]
    samples = pd.DataFrame(
        {
            "id": rows["id"].to_numpy(),
            "label": label_N,
            "own_distance": _known(np.where(same_NN, distance_NN, np.inf).min(axis=1)),
            "other_distance": _known(np.where(same_NN, np.inf, distance_NN).min(axis=1)),
        }
    )
    # Where a class has no other group, nothing says how near its samples are to each other.
    confusable = (samples["other_distance"] < samples["own_distance"]).astype(float)
    confusable[samples[["own_distance", "other_distance"]].isna().any(axis=1)] = np.nan
    apart_NN = np.isfinite(distance_NN)
    chance_N = (apart_NN & ~same_NN).sum(axis=1) / apart_NN.sum(axis=1).clip(min=1)
    of_class = samples.assign(
        confusable_share=confusable, chance_share=np.where(confusable.isna(), np.nan, chance_N), group=group_N
    ).groupby("label")
    told = pd.DataFrame(
        {
            "samples": of_class.size(),
            "groups": of_class["group"].nunique(),
            "own_distance": of_class["own_distance"].median(),
            "other_distance": of_class["other_distance"].median(),
            "spread": {name: _spread(distance_NN[np.ix_(label_N == name, label_N == name)]) for name in present},
            "nearest_class": {name: _nearest(nearest_CC, name) for name in present},
            "confusable_share": of_class["confusable_share"].mean(),
            "chance_share": of_class["chance_share"].mean(),
        }
    )
    pairs = [
        (kind, *samples.loc[[one, other], "id"], label_N[one], label_N[other], distance_NN[one, other])
        for kind, cost_NN in (
            (INTER, np.where(same_NN, np.inf, distance_NN)),
            (INTRA, np.where(same_NN & apart_NN, -distance_NN, np.inf)),
        )
        for one, other in _least(cost_NN)
    ]
    return InputVariation(
        nearest_CC,
        samples,
        told.loc[present].rename_axis("label").reset_index(),
        pd.DataFrame(pairs, columns=["kind", "id", "other_id", "label", "other_label", "distance"]),
        float(confusable.mean()),
    )


def _known(distance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isinf(distance), np.nan, distance)


def _spread(distance_NN: npt.NDArray[np.float64]) -> float:
    known_P = distance_NN[np.isfinite(distance_NN)]
    return float(np.median(known_P)) if len(known_P) else np.nan


def _nearest(nearest_CC: pd.DataFrame, name: str) -> str:
    distance_C = nearest_CC.T[name].drop(name)
    return str(distance_C.idxmin()) if distance_C.notna().any() else ""


def _least(cost_NN: npt.NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Yield pairs of the least finite cost, each sample once: one odd sample would fill the list."""
    for _ in range(_PAIRS):
        one, other = (int(place) for place in np.unravel_index(cost_NN.argmin(), cost_NN.shape))
        if not np.isfinite(cost_NN[one, other]):
            return
        yield one, other
        cost_NN[[one, other]] = cost_NN[:, [one, other]] = np.inf
