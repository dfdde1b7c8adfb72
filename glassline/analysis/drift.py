"""Whether samples of two cycles come from one distribution: attribute by attribute, and as a model sees them.

Sources: two-sample Kolmogorov-Smirnov statistic; population stability index (Siddiqi 2006); energy distance (Székely
and Rizzo 2004), scaled to [0, 1] (Rizzo and Székely 2016); Holm 1979. Marks of one glass are not independent: p is
counted over random regroupings of whole groups (Good 2005), not read from a table for independent samples.
Shapes: N samples, G groups, P regroupings, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

_PSI_BINS, _PSI_FLOOR = 10, 1e-3
_AT_ONCE = 200
_FEWEST = 8

Sides = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class EnergyDrift:
    """How far two sets of features lie apart.

    Attributes:
        effect: Energy distance over its largest value, 0 (one distribution) to 1 (two separate points).
        p: Share of regroupings as far apart.
    """

    effect: float
    p: float


def regroupings(group_N: Sequence[str], new_N: npt.NDArray[np.bool_], permutations: int, seed: int) -> Sides:
    """Draw which samples are called new when whole groups are dealt out anew.

    Args:
        group_N: Group of each sample; names of both cycles must differ where groups do.
        new_N: Which samples are new.
        permutations: How many to draw.
        seed: Any integer >= 0.

    Returns:
        (P + 1, N): row 0 is the truth.
    """
    codes_N, names = pd.factorize(np.array(group_N, object))
    new_G = np.zeros(len(names), np.bool_)
    new_G[codes_N[new_N]] = True
    rng = np.random.default_rng(seed)
    dealt_PG = np.stack([new_G, *(rng.permutation(new_G) for _ in range(permutations))])
    return dealt_PG[:, codes_N]


def attribute_drift(
    values: pd.DataFrame, new_N: npt.NDArray[np.bool_], sides_PN: Sides, significance: float
) -> pd.DataFrame:
    """Compare each attribute of two cycles.

    Args:
        values: One row per sample, one column per attribute; NaN where unknown, which is left out.
        new_N: Which samples are new.
        sides_PN: What `regroupings` drew.
        significance: Largest Holm-corrected p that is called drift.

    Returns:
        One row per attribute that at least 8 samples of both cycles tell: `attribute`, means `last` and `new`, `shift`
        (their difference in standard deviations of the last cycle), `psi`, `wasserstein` (in the same unit), `ks`, `p`,
        `p_holm`, `drifted`; largest `ks` first.
    """
    from statsmodels.stats.multitest import multipletests

    rows = []
    for name in values.columns:
        value_N = values[name].to_numpy(np.float64)
        known_N = np.isfinite(value_N)
        old_M, new_M = value_N[known_N & ~new_N], value_N[known_N & new_N]
        if min(len(old_M), len(new_M)) >= _FEWEST:
            ks_P = _ks(value_N[known_N], sides_PN[:, known_N])
            rows.append({"attribute": str(name), **_sizes(old_M, new_M), "ks": float(ks_P[0]), "p": _share(ks_P)})
    columns = ["attribute", "last", "new", "shift", "psi", "wasserstein", "ks", "p"]
    table = pd.DataFrame(rows, columns=columns)
    corrected = multipletests(table["p"], method="holm")[1] if len(table) else []
    table["p_holm"] = np.asarray(corrected, np.float64)
    table["drifted"] = table["p_holm"] <= significance
    return table.sort_values("ks", ascending=False, kind="stable").reset_index(drop=True)


def _sizes(old_M: npt.NDArray[np.float64], new_M: npt.NDArray[np.float64]) -> dict[str, float]:
    from scipy.stats import wasserstein_distance

    unit = float(old_M.std()) or float(np.concatenate([old_M, new_M]).std()) or 1.0
    return {
        "last": float(old_M.mean()), "new": float(new_M.mean()), "shift": float(new_M.mean() - old_M.mean()) / unit,
        "psi": _psi(old_M, new_M), "wasserstein": float(wasserstein_distance(old_M, new_M)) / unit,
    }  # fmt: skip


def _psi(old_M: npt.NDArray[np.float64], new_M: npt.NDArray[np.float64]) -> float:
    """Return the population stability index over tenths of the last cycle."""
    edges = np.unique(np.quantile(old_M, np.linspace(0, 1, _PSI_BINS + 1)[1:-1]))
    share_2B = np.stack([
        np.bincount(np.searchsorted(edges, one, side="right"), minlength=len(edges) + 1) / len(one)
        for one in (old_M, new_M)
    ]).clip(min=_PSI_FLOOR)  # fmt: skip
    return float(((share_2B[1] - share_2B[0]) * np.log(share_2B[1] / share_2B[0])).sum())


def _ks(value_N: npt.NDArray[np.float64], sides_PN: Sides) -> npt.NDArray[np.float64]:
    """Return the largest difference of both distribution functions for every regrouping (P,)."""
    order_N = np.argsort(value_N, kind="stable")
    last_N = np.append(np.diff(value_N[order_N]) > 0, True)  # equal values step together
    found = []
    for start in range(0, len(sides_PN), _AT_ONCE):
        side_PN = sides_PN[start : start + _AT_ONCE, order_N]
        new_PN = np.cumsum(side_PN, axis=1, dtype=np.float32)
        old_PN = np.arange(1, len(order_N) + 1, dtype=np.float32) - new_PN
        apart_PN = new_PN / new_PN[:, -1:].clip(min=1) - old_PN / old_PN[:, -1:].clip(min=1)
        found.append(np.abs(apart_PN[:, last_N]).max(axis=1).astype(np.float64))
    return np.concatenate(found)


def energy_drift(features_NF: npt.NDArray[np.floating], new_N: npt.NDArray[np.bool_], sides_PN: Sides) -> EnergyDrift:
    """Compare features of two cycles; memory grows with N times N.

    Args:
        features_NF: Features in one unit, such as embeddings.
        new_N: Which samples are new; some are, some are not.
        sides_PN: What `regroupings` drew.
    """
    from scipy.spatial.distance import cdist

    distance_NN = cdist(features_NF, features_NF)
    energy_P = np.concatenate([
        _energy(distance_NN, sides_PN[start : start + _AT_ONCE]) for start in range(0, len(sides_PN), _AT_ONCE)
    ])  # fmt: skip
    between = float(distance_NN[np.ix_(new_N, ~new_N)].mean())
    return EnergyDrift(float(energy_P[0]) / (2 * between) if between > 0 else 0.0, _share(energy_P))


def _energy(distance_NN: npt.NDArray[np.float64], sides_PN: Sides) -> npt.NDArray[np.float64]:
    """Return 2 E|X - Y| - E|X - X'| - E|Y - Y'| for every regrouping (P,)."""
    new_PN, old_PN = sides_PN.astype(np.float64), (~sides_PN).astype(np.float64)
    new_P, old_P = new_PN.sum(axis=1).clip(min=1), old_PN.sum(axis=1).clip(min=1)
    to_new_PN, to_old_PN = new_PN @ distance_NN, old_PN @ distance_NN
    between_P = (to_new_PN * old_PN).sum(axis=1) / (new_P * old_P)
    within_new_P, within_old_P = (
        (to_new_PN * new_PN).sum(axis=1) / new_P**2,
        (to_old_PN * old_PN).sum(axis=1) / old_P**2,
    )
    return np.asarray(2 * between_P - within_new_P - within_old_P)


def _share(statistic_P: npt.NDArray[np.float64]) -> float:
    """Return the share of regroupings, the truth among them, that reach the truth's statistic."""
    return float(np.mean(statistic_P >= statistic_P[0] - 1e-6))
