"""Affinity: how much each source helps each target, as shares of 1.

Source: system D of the reading, section 2 b) and c): an affinity matrix, normalised by the Analytic Hierarchy Process.
Shapes: S sources, T targets, N held-out samples of a target.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from glassline.analysis.ahp import ahp
from glassline.analysis.win_ratios import win_ratios
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.settings import Settings

Floats = npt.NDArray[np.float64]

#: Fewer sources than this have no rank correlation.
_LEAST_SOURCES = 3


class AffinitySettings(Settings):
    """How affinity is measured."""

    by: Literal["class", "table"] = Field("class", description="whether a source is a class of a product, or all of it")
    rows_per_source: int = Field(300, ge=1, description="patches of a source that a head is fitted on, at most")
    held_share: float = Field(0.5, gt=0, lt=1, description="share of the target's patches that heads are judged on")
    largest_inconsistency: float = Field(0.1, gt=0, description="consistency ratio up to which affinities are taken")
    measure_gain: bool = Field(False, description="also transfer from each source alone, to check affinity by")


@dataclass(frozen=True)
class Affinity:
    """Affinity of sources for targets.

    Attributes:
        sources: Names of the sources.
        targets: Names of the targets.
        weight_ST: Affinity; each column sums to 1. 0 where a source was not compared: it is of the target itself.
        consistency_T: Consistency ratio of each target's comparisons.
        gain_ST: By how much the log loss falls when the target's network starts from the source; NaN where not
            measured.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    weight_ST: Floats
    consistency_T: Floats
    gain_ST: Floats

    def to_frame(self) -> pd.DataFrame:
        """Return a row per target and source that were compared: target, source, affinity, gain; the best first."""
        parts = [
            pd.DataFrame({"target": name, "source": self.sources, "affinity": weight_S, "gain": gain_S})
            for name, weight_S, gain_S in zip(self.targets, self.weight_ST.T, self.gain_ST.T, strict=True)
        ]
        return pd.concat(
            [part[part["affinity"] > 0].sort_values("affinity", ascending=False, kind="stable") for part in parts],
            ignore_index=True,
        )

    def write(self, path: str | Path) -> None:
        """Write it as JSON, whole or not at all."""
        gain_ST = [[None if np.isnan(gain) else gain for gain in gain_T] for gain_T in self.gain_ST.tolist()]
        told = {
            "sources": self.sources, "targets": self.targets, "affinity": self.weight_ST.tolist(),
            "consistency": self.consistency_T.tolist(), "gain": gain_ST,
        }  # fmt: skip
        with written_whole(path) as beside:
            beside.write_text(json.dumps(told, indent=1))


def read_affinity(path: str | Path) -> Affinity:
    """Read what `Affinity.write` wrote.

    Raises:
        DataError: It is not there, or something else.
    """
    try:
        told = json.loads(Path(path).read_text())
        sources, targets = tuple(told["sources"]), tuple(told["targets"])
        shape = len(sources), len(targets)
        return Affinity(
            sources, targets, np.array(told["affinity"], np.float64).reshape(shape),
            np.array(told["consistency"], np.float64).reshape(shape[1]),
            np.array(told["gain"], np.float64).reshape(shape),
        )  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} must tell affinities, got none ({type(error).__name__}: {error}); run measure_affinity again"
        ) from error


def affinity_of(
    losses: Mapping[str, Mapping[str, npt.ArrayLike]], largest_inconsistency: float = 0.1,
    weights: Mapping[str, npt.ArrayLike] | None = None,
) -> Affinity:  # fmt: skip
    """Return the affinity behind losses of heads; gains are not measured.

    Args:
        losses: Target to its sources to the loss (N) of each held-out sample of the target, see `head_losses`.
            Targets need not have the same sources: what a target's own product offers is none of its sources.
        largest_inconsistency: See `ahp`.
        weights: Target to how much each of its samples counts, see `even_weights`: where nearly all are clean, sources
            are compared by clean ones alone without them.

    Raises:
        DataError: There is no target, one without a source, or comparisons contradict each other; names the target.
    """
    sources = tuple(dict.fromkeys(name for of_target in losses.values() for name in of_target))
    if not losses or not all(losses.values()):
        counts = {name: len(of_target) for name, of_target in losses.items()}
        raise DataError(f"affinity needs a target and sources for each, got {counts}; import another product")
    weight_ST, consistency_T = np.zeros((len(sources), len(losses))), np.zeros(len(losses))
    for column, (target, of_target) in enumerate(losses.items()):
        try:
            loss_SN = np.stack([*map(np.asarray, of_target.values())])
            ratio_SS = win_ratios(loss_SN, weights[target] if weights else None)
            found = ahp(ratio_SS, largest_inconsistency, list(of_target))
        except DataError as error:
            raise DataError(f"target {target}: {error}") from error
        weight_ST[[sources.index(name) for name in of_target], column] = found.weight_S
        consistency_T[column] = found.consistency_ratio
    return Affinity(sources, tuple(losses), weight_ST, consistency_T, np.full(weight_ST.shape, np.nan))


def rank_correlation(affinity: Affinity, gain_ST: npt.ArrayLike) -> pd.DataFrame:
    """Return how well affinity ranks sources as measured gain does.

    Targets are pooled by rank among the sources of each, since affinities of few sources are higher than those of many,
    and gains of hard targets than those of easy ones.

    Args:
        affinity: Affinities.
        gain_ST: Measured gains; NaN where there is none.

    Returns:
        A row per target, and one of `all`: target, sources, spearman in [-1, 1]; NaN where fewer than 3 sources have a
        gain, or all are alike.
    """
    gain_ST = np.asarray(gain_ST, np.float64)
    rows, ranks = [], []
    for target, weight_S, gain_S in zip(affinity.targets, affinity.weight_ST.T, gain_ST.T, strict=True):
        pairs = pd.DataFrame({"affinity": weight_S, "gain": gain_S})[(weight_S > 0) & np.isfinite(gain_S)]
        ranks.append(pairs.rank(pct=True))
        rows.append({"target": target, "sources": len(pairs), "spearman": _spearman(pairs)})
    pooled = pd.concat(ranks)
    return pd.DataFrame([*rows, {"target": "all", "sources": len(pooled), "spearman": _spearman(pooled)}])


def _spearman(pairs: pd.DataFrame) -> float:
    from scipy.stats import spearmanr

    if len(pairs) < _LEAST_SOURCES or pairs["affinity"].nunique() < 2 or pairs["gain"].nunique() < 2:
        return float("nan")
    return float(spearmanr(pairs["affinity"], pairs["gain"]).statistic)
