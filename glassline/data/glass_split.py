"""Glasses to train on, to choose by and to judge on: whole, stratified by whether they have a defect, seeded."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from glassline.data.storage import written_whole
from glassline.errors import DataError

#: Share of the glasses that thresholds are chosen by, and that are judged in the end; the rest is trained on.
VALIDATION_SHARE, TEST_SHARE = 0.15, 0.15

#: Glasses of a stratum: one on each side.
_LEAST = 3


@dataclass(frozen=True)
class GlassSplit:
    """Which glasses lie on which side; no glass lies on two."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        with written_whole(path) as beside:
            beside.write_text(json.dumps(asdict(self), indent=1))


def split_glasses(
    groups_N: Sequence[str], defective_N: Sequence[bool], seed: int, clean_needed: bool = True
) -> GlassSplit:
    """Deal glasses to training, validation and test.

    Args:
        groups_N: Glass of each image.
        defective_N: Whether something that is looked for is on the image; one such image makes a glass defective.
        seed: Any integer >= 0.
        clean_needed: Whether glasses without a defect are judged; else fewer than three of them are trained on.

    Raises:
        DataError: There are fewer than three glasses with what is looked for, or without it where these are needed.
    """
    defective = {group for group, of_image in zip(groups_N, defective_N, strict=True) if of_image}
    strata = [sorted(defective), sorted(set(groups_N) - defective)]
    if min(map(len, strata[: 1 + clean_needed])) < _LEAST:
        raise DataError(
            f"a split needs at least {_LEAST} groups with a defect that is looked for"
            f"{f' and {_LEAST} without' if clean_needed else ''}, got "
            f"{len(strata[0])} and {len(strata[1])}; label more of them"
        )
    rng = np.random.default_rng(seed)
    train: list[str] = []
    validation: list[str] = []
    test: list[str] = []
    for stratum in strata:
        dealt = [stratum[number] for number in rng.permutation(len(stratum))]
        few = len(dealt) < _LEAST  # of clean ones that are not needed
        first, second = (0 if few else max(1, round(share * len(dealt))) for share in (VALIDATION_SHARE, TEST_SHARE))
        validation += dealt[:first]
        test += dealt[first : first + second]
        train += dealt[first + second :]
    return GlassSplit(*(tuple(sorted(side)) for side in (train, validation, test)))


def read_split(path: Path) -> GlassSplit:
    """Read what `GlassSplit.write` wrote.

    Raises:
        DataError: It is not there, or something else.
    """
    try:
        sides = {side: tuple(glasses) for side, glasses in json.loads(path.read_text()).items()}
        return GlassSplit(**sides)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} must tell the split of the glasses, got none ({error}); run the step that split again"
        ) from error


def numbers_of(groups_N: Sequence[str], glasses: Collection[str]) -> list[int]:
    """Return the numbers of the images of some glasses.

    Args:
        groups_N: Glass of each image.
        glasses: Those that are asked for.
    """
    wanted = set(glasses)
    return [number for number, group in enumerate(groups_N) if group in wanted]
