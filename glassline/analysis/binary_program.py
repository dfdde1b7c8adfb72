"""The binary integer program of a choice under a budget, in whole numbers.

Shapes: S sources, T targets, R rows of constraints.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: Affinity is counted in this: sums of whole numbers are equal or differ by 1, which no tolerance of a solver hides.
UNIT = 1e-6


@dataclass(frozen=True)
class Program:
    """Maximise the value of what is chosen, summed over targets, within a budget and with a coverage of every target.

    Attributes:
        value_ST: Value of each source for each target, in UNIT.
        samples_S: What each costs.
        budget: What all may cost.
        coverage: Least summed value for every target, 0 to 1.
    """

    value_ST: Whole
    samples_S: Whole
    budget: int
    coverage: float

    def value(self, chosen_S: Flags) -> int:
        """Return the value of a choice, in UNIT."""
        return int(self.value_ST[chosen_S].sum())

    def best(self, names: Sequence[str] = (), fixed: dict[int, bool] | None = None) -> Flags | None:
        """Return the best choice, of equals that with the fewest samples, then that with the first names.

        Args:
            names: Names of the sources; without them any of those with the fewest samples.
            fixed: Sources that are chosen, or are not, beforehand.

        Returns:
            Whether each source is chosen, or None where no choice fits.
        """
        total_S = self.value_ST.sum(axis=1)
        fixed = dict(fixed or {})
        found_S = self._solve(-total_S, fixed)
        if found_S is None:
            return None
        as_good = [(total_S, self.value(found_S), np.inf)]
        found_S = self._solve(self.samples_S, fixed, as_good)
        assert found_S is not None, "the best choice is as good as itself"
        as_good.append((self.samples_S, 0, int(self.samples_S[found_S].sum())))
        for index in sorted(range(len(names)), key=names.__getitem__):
            if index in fixed:
                continue
            fixed[index] = bool(found_S[index])
            if not fixed[index]:
                other_S = self._solve(self.samples_S, {**fixed, index: True}, as_good)
                if other_S is not None:
                    fixed[index], found_S = True, other_S
        return found_S

    def least_budget(self) -> int:
        """Return the fewest samples that reach the coverage."""
        chosen_S = self._solve(self.samples_S, {}, limited=False)
        assert chosen_S is not None, "all sources together cover every target"
        return int(self.samples_S[chosen_S].sum())

    def largest_coverage(self) -> float:
        """Return the highest coverage of every target that the budget reaches, 0 to 1."""
        from scipy.optimize import Bounds, LinearConstraint, milp  # here: whoever reads settings alone needs no solver

        sources, targets = self.value_ST.shape
        # One more unknown, the coverage: it lies under the value of the choice for each target.
        covers = LinearConstraint(np.hstack([self.value_ST.T * UNIT, -np.ones((targets, 1))]), 0, np.inf)
        pays = LinearConstraint(np.append(self.samples_S, 0)[None], 0, self.budget)
        found = milp(
            np.append(np.zeros(sources), -1), constraints=[covers, pays], bounds=Bounds(0, 1),
            integrality=np.append(np.ones(sources), 0), options={"mip_rel_gap": 0},
        )  # fmt: skip
        chosen_S = np.asarray(np.rint(found.x[:-1]), np.bool_)
        return float(self.value_ST[chosen_S].sum(axis=0).min() * UNIT)

    @property
    def _needed(self) -> int:
        """Value that every target needs; that of each source may have been rounded off by half a unit."""
        return int(np.ceil(self.coverage / UNIT - (len(self.samples_S) + 1) / 2))

    def _solve(
        self, cost_S: Whole, fixed: dict[int, bool], further: Sequence[tuple[Whole, float, float]] = (),
        limited: bool = True,
    ) -> Flags | None:  # fmt: skip
        """Return the cheapest choice that keeps budget, coverage and further sums (weights, least, most), or None."""
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array, vstack

        rows = [(self.samples_S, -np.inf, float(self.budget))] if limited else []
        rows += [(value_S, self._needed, np.inf) for value_S in self.value_ST.T] if self.coverage > 0 else []
        rows += further
        low_S, high_S = np.zeros(len(cost_S)), np.ones(len(cost_S))
        for index, chosen in fixed.items():
            low_S[index] = high_S[index] = float(chosen)
        weights_RS = vstack([csr_array(weight_S[None].astype(np.float64)) for weight_S, _, _ in rows])
        # Sums are whole: half of one more lies beyond every tolerance and lets nothing else in.
        least_R, most_R = (np.array([row[side] for row in rows]) for side in (1, 2))
        found = milp(
            cost_S.astype(np.float64), constraints=LinearConstraint(weights_RS, least_R - 0.5, most_R + 0.5),
            bounds=Bounds(low_S, high_S), integrality=np.ones(len(cost_S)), options={"mip_rel_gap": 0},
        )  # fmt: skip
        return None if found.x is None else np.asarray(np.rint(found.x), np.bool_)
