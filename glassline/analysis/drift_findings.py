"""How patches of two cycles differ, in attributes and as the champion sees them, and what is told of it.

Shapes: N patches.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.cycle_draw import Drawn
from glassline.analysis.cycle_findings import Finding, Level, named
from glassline.analysis.cycle_settings import CheckSettings
from glassline.analysis.drift import EnergyDrift, attribute_drift, energy_drift, regroupings
from glassline.deploy.bundle import Bundle
from glassline.deploy.patch_features import FEATURE_WORDS, PatchFeatures, patch_features

_MOST_NAMED = 3


@dataclass(frozen=True)
class CycleDrift:
    """How two cycles differ.

    Attributes:
        attributes: One row per attribute; see `attribute_drift`.
        embedded_N: Which drawn patches have features.
        features: Features of those.
        new_N: Which of those are new.
        energy: How far features of both lie apart.
        significance: Largest p that is called drift.
    """

    attributes: pd.DataFrame
    embedded_N: npt.NDArray[np.bool_]
    features: PatchFeatures
    new_N: npt.NDArray[np.bool_]
    energy: EnergyDrift
    significance: float

    @property
    def beyond(self) -> float | None:
        """Share of the new patches beyond the champion's known distance; None where it has none."""
        return self._beyond(new=True)

    @property
    def last_beyond(self) -> float | None:
        """The same of the last cycle's patches, most of which the champion learnt from."""
        return self._beyond(new=False)

    def _beyond(self, new: bool) -> float | None:
        if self.features.beyond_N is None:
            return None
        return float(self.features.beyond_N[self.new_N == new].mean())


def measure_drift(
    drawn: Drawn, attributes: Sequence[str], bundle: Bundle | None, settings: CheckSettings
) -> CycleDrift:
    """Compare patches of two cycles.

    Args:
        drawn: Patches of both.
        attributes: Metadata columns.
        bundle: The champion's, None where it cannot be asked.
        settings: How many patches and permutations, and which significance.
    """
    new_N, groups = drawn.new_N, [str(name) for name in drawn.rows["group"]]
    sides_PN = regroupings(groups, new_N, settings.permutations, settings.seed)
    values = drawn.rows.reindex(columns=list(attributes)).astype(float)
    table = attribute_drift(values, new_N, sides_PN, settings.significance)
    kept_N = _thinned(new_N, settings.embedded, settings.seed)
    features = patch_features(bundle, drawn.rows[kept_N], drawn.patch_NHW[kept_N])
    energy = energy_drift(features.features_NF, new_N[kept_N], sides_PN[:, kept_N])
    return CycleDrift(table, kept_N, features, new_N[kept_N], energy, settings.significance)


def _thinned(new_N: npt.NDArray[np.bool_], most: int, seed: int) -> npt.NDArray[np.bool_]:
    """Keep at most so many patches of each side."""
    kept_N = np.zeros(len(new_N), np.bool_)
    for side, of_side_N in enumerate((np.flatnonzero(~new_N), np.flatnonzero(new_N))):
        kept_N[np.random.default_rng([seed, side]).permutation(of_side_N)[:most]] = True
    return kept_N


def drift_findings(drift: CycleDrift, drawn: Drawn, product: str) -> list[Finding]:
    """Return what drifted: a warning within a product, told between products, where it is expected."""
    before = drawn.rows["product"][~drawn.new_N].astype(str)
    level: Level = "warned" if (before == product).all() else "told"
    groups = [drawn.rows["group"][side].nunique() for side in (drawn.new_N, ~drawn.new_N)]
    found = []
    if len(moved := drift.attributes[drift.attributes["drifted"]]):
        most = moved.reindex(moved["shift"].abs().sort_values(ascending=False).index).head(_MOST_NAMED)
        told = named(f"{name} {shift:+.1f}" for name, shift in zip(most["attribute"], most["shift"], strict=True))
        text = (
            f"{len(moved)} of {len(drift.attributes)} attributes drifted since the last cycle (Kolmogorov-Smirnov, "
            f"Holm-corrected p <= {drift.significance:g}); most, in standard deviations: {told}"
        )
        found.append(Finding("attributes", level, text))
    words, energy = FEATURE_WORDS[drift.features.kind], drift.energy
    if energy.p <= drift.significance:
        text = (
            f"{words} of both cycles lie apart: energy distance {energy.effect:.3f} of 1, p = {energy.p:.2g} over "
            f"regroupings of {groups[0]} new and {groups[1]} earlier groups"
        )
        found.append(Finding("embedding", level, text))
    if drift.features.why:
        found.append(Finding("embedding", "told", f"compared by {words}: {drift.features.why}"))
    if drift.beyond is not None and drift.last_beyond is not None:
        text = (
            f"{drift.beyond:.0%} of the new patches lie beyond the champion's known distance, {drift.last_beyond:.0%} "
            "of the last cycle's"
        )
        found.append(Finding("embedding", level if drift.beyond > 2 * drift.last_beyond + 0.05 else "told", text))
    return found
