"""Which methods a new cycle tries, by the amount of its data.

Source: learning curves over images of a class in docs/results.md, "Few images of a class" (simulated line-scan; fusion
leads at every amount; of methods that see the patch alone, triplet and CNN are even up to 10 images and the CNN leads
between) and "magnetic_tile" with its balanced subset (61 patches a class: triplet, fusion, metadata, before CNN).
Starts by "Product cycle" there: with 30 images of a class, what learned from sources, beginning with the champion's
weights, is ahead of the champion's weights alone, and these of random ones.
"""

from collections.abc import Sequence
from typing import Any

from glassline.analysis.cycle_settings import CheckSettings
from glassline.errors import SettingsError
from glassline.models.settings import MODEL_NAMES
from glassline.training.candidate import Candidate

#: From so many samples of the smallest class on, which methods, the most promising first.
METHODS: dict[int, tuple[str, ...]] = {
    0: ("ensemble_fusion", "triplet", "metadata"),
    50: ("ensemble_fusion", "triplet", "cnn"),
    300: ("ensemble_fusion", "cnn", "ensemble_stacking"),
}


def methods_for(samples: int) -> tuple[str, ...]:
    """Return the methods to try for so many samples of the smallest class."""
    return METHODS[max(least for least in METHODS if least <= samples)]


def choose_candidates(
    samples: int, champion: str, has_weights: bool, has_sources: bool, settings: CheckSettings
) -> list[dict[str, Any]]:
    """Return the candidates to train: name, model and start of each.

    The best method comes with every start that it can have, then the champion's own, then the others; a start from
    the champion needs a champion of the same method that left its weights. Of starts, sources come before the champion
    and scratch. Beyond `most_candidates`, the best method's
    later starts go before those of the champion's own, then the others; a single candidate is of the best method.

    Args:
        samples: Samples of the smallest class.
        champion: Method of the champion, "" where there is none.
        has_weights: Whether the champion's weights can be had.
        has_sources: Whether there are older sets to learn from first.
        settings: `candidates` named there are taken as they are.

    Raises:
        SettingsError: A named candidate's name comes twice, or its start is not to be had.
    """
    starts = {"sources": has_sources, "champion": has_weights, "scratch": True}  # the most promising first
    if settings.candidates:
        _check(settings.candidates, starts, champion)
        return [one.model_dump() for one in settings.candidates]
    best, *others = methods_for(samples)
    own = [champion] if champion in MODEL_NAMES and champion != best else []

    def of(model: str) -> list[dict[str, Any]]:
        usual = [start for start, there in starts.items() if there and (start != "champion" or model == champion)]
        return [{"name": f"{model}-{start}", "model": model, "start": start} for start in usual]

    first, second = of(best), [one for model in own for one in of(model)]
    first = first[: max(settings.most_candidates - len(second), 1)]
    rest = [one for model in others if model not in own for one in of(model)]
    return [*first, *second, *rest][: settings.most_candidates]


def _check(candidates: Sequence[Candidate], starts: dict[str, bool], champion: str) -> None:
    names = [one.name for one in candidates]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SettingsError(f"check.candidates must have a name each, got {repeated} more often; rename one")
    for one in candidates:
        if not starts[one.start] or (one.start == "champion" and one.model != champion):
            raise SettingsError(
                f"a start from {one.start} needs {_NEEDED[one.start]}, candidate {one.name} has none; start it from "
                "scratch"
            )


_NEEDED = {
    "champion": "a champion of the same model that left its weights", "sources": "sources or an older cycle",
    "scratch": "nothing",
}  # fmt: skip
