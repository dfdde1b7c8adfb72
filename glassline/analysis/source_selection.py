"""Which sources to learn from when samples are limited: a binary integer program.

Source: system D of the reading, section 2 d); solved by scipy's `milp` (HiGHS) without a gap.
Shapes: S sources, T targets.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from glassline.analysis.affinity import Affinity
from glassline.analysis.binary_program import UNIT, Program
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.settings import Settings


class SelectionSettings(Settings):
    """What a selection may cost, and what it must reach."""

    budget: int = Field(10_000, ge=1, description="samples of all chosen sources together, at most")
    coverage: float = Field(
        0.0, ge=0, le=1, description="summed affinity of the chosen sources that every target must have at least"
    )


@dataclass(frozen=True)
class Selection:
    """Chosen sources.

    Attributes:
        affinity: What they were chosen by.
        samples_S: Samples of each source.
        settings: What they had to fit.
        chosen_S: Whether each source is chosen.
    """

    affinity: Affinity
    samples_S: npt.NDArray[np.int64]
    settings: SelectionSettings
    chosen_S: npt.NDArray[np.bool_]

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the chosen sources, in the order of the affinities."""
        return tuple(name for name, chosen in zip(self.affinity.sources, self.chosen_S, strict=True) if chosen)

    @property
    def samples(self) -> int:
        """Samples of the chosen sources together."""
        return int(self.samples_S[self.chosen_S].sum())

    @property
    def coverage_T(self) -> npt.NDArray[np.float64]:
        """Summed affinity of the chosen sources for each target, in [0, 1]."""
        return np.asarray(self.affinity.weight_ST[self.chosen_S].sum(axis=0))

    def write(self, path: str | Path) -> None:
        """Write what was chosen as JSON, whole or not at all."""
        told = {
            "chosen": self.sources, "samples": self.samples, **self.settings.model_dump(),
            "candidates": dict(zip(self.affinity.sources, self.samples_S.tolist(), strict=True)),
            "covered": dict(zip(self.affinity.targets, self.coverage_T.tolist(), strict=True)),
        }  # fmt: skip
        with written_whole(path) as beside:
            beside.write_text(json.dumps(told, indent=1))


def read_selection(path: str | Path) -> tuple[tuple[str, ...], dict[str, int], int]:
    """Return what `Selection.write` wrote: the chosen sources, samples of each that could be, and the budget.

    Raises:
        DataError: It is not there, or something else.
    """
    try:
        told = json.loads(Path(path).read_text())
        candidates = {str(name): int(count) for name, count in told["candidates"].items()}
        return tuple(told["chosen"]), candidates, int(told["budget"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path} must tell chosen sources, got none ({type(error).__name__}: {error}); run select_sources again"
        ) from error


def select_sources(affinity: Affinity, samples_S: Sequence[int], settings: SelectionSettings) -> Selection:
    """Choose the sources of the highest affinity, summed over targets, that the budget pays for.

    Affinities are counted in millionths, so that the optimum is exact. Of equally good choices that of the fewest
    samples is taken, then the one that holds the first names.

    Args:
        affinity: Affinities.
        samples_S: Samples of each source, at least 1.
        settings: Budget and coverage.

    Raises:
        DataError: No source fits the budget, or no choice reaches the coverage with it; says which budget and which
            coverage would do.
    """
    counts_S = np.asarray(samples_S, np.int64)
    if counts_S.shape != (len(affinity.sources),) or (counts_S < 1).any():
        raise DataError(
            f"samples must be a number >= 1 for each of {len(affinity.sources)} sources, got {counts_S.tolist()}; "
            "count them again"
        )
    if counts_S.min() > settings.budget:
        smallest = affinity.sources[int(counts_S.argmin())]
        raise DataError(
            f"budget must pay for one source at least, {counts_S.min()} samples of {smallest}, got {settings.budget}; "
            "raise it, or take the classes of a product as sources"
        )
    program = program_of(affinity, counts_S, settings)
    chosen_S = program.best(affinity.sources)
    if chosen_S is None:
        raise DataError(_impossible(program, settings))
    return Selection(affinity, counts_S, settings, chosen_S)


def program_of(affinity: Affinity, samples_S: npt.NDArray[np.int64], settings: SelectionSettings) -> Program:
    """Return the integer program of a choice."""
    return Program(np.rint(affinity.weight_ST / UNIT).astype(np.int64), samples_S, settings.budget, settings.coverage)


def _impossible(program: Program, settings: SelectionSettings) -> str:
    """Say which coverage the budget reaches, and which budget the coverage needs."""
    reached = np.floor(program.largest_coverage() * 1e4) / 1e4
    return (
        f"coverage must be <= {reached:.4f} with a budget of {settings.budget} samples, got {settings.coverage:g}; "
        f"lower it, or raise budget to {program.least_budget()}"
    )
