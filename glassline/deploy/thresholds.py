"""Thresholds of a bundle's sidecar, each of them told and known, and the class that they leave an image.

Needs neither torch nor pandas. Shapes: C classes.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from glassline.analysis.unknown import UNKNOWN
from glassline.deploy.bundle import Bundle
from glassline.deploy.sidecar import NAME
from glassline.errors import SettingsError
from glassline.settings import Settings

#: Thresholds of classifiers.
LEAST_PROBABILITY, LEAST_HEAT, UNKNOWN_DISTANCE = "least_probability", "least_heat", "unknown_distance"

Thresholds = TypeVar("Thresholds", bound=Settings)
# Strict: `yes` is no probability, and neither is "0.5".
Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class ClassThresholds(Settings):
    """System A."""

    least_probability: dict[str, Share] = Field(description="probability that each class needs")


class MetricThresholds(ClassThresholds):
    """System B."""

    unknown_distance: Annotated[float, Field(strict=True, ge=0)] | None = Field(
        description="distance from the nearest reference beyond which nothing is known; null turns it off"
    )


class CandidateThresholds(Settings):
    """System D, of candidates."""

    least_probability: Share = Field(description="probability of a defect from which an image is defective")


class WindowThresholds(CandidateThresholds):
    """System D, of windows."""

    least_heat: Annotated[float, Field(strict=True, gt=0, le=1)] | None = Field(
        description="heat from which a pixel is in a box; null tells no boxes"
    )


def bundle_thresholds(bundle: Bundle, kind: type[Thresholds]) -> Thresholds:
    """Return the thresholds of a bundle's sidecar.

    Raises:
        SettingsError: `thresholds.yaml` lacks a threshold, holds an unknown one, or one is out of range.
    """
    missing = sorted(set(kind.model_fields) - set(bundle.thresholds))
    if missing:
        raise SettingsError(f"{NAME} must state every threshold, missing: {missing}; take them from the card")
    try:
        return kind.parse({str(name): value for name, value in bundle.thresholds.items()})
    except SettingsError as error:
        raise SettingsError(f"{NAME} must hold thresholds in range ({error}); mend it") from None


def class_thresholds(bundle: Bundle) -> ClassThresholds:
    """Return the thresholds of a classifier of system A or B; see `bundle_thresholds`.

    Raises:
        SettingsError: As there, or a class is unknown or left out.
    """
    told = bundle_thresholds(bundle, MetricThresholds if bundle.manifest.system == "B" else ClassThresholds)
    classes = bundle.manifest.classes
    if set(told.least_probability) != set(classes):
        raise SettingsError(
            f"{LEAST_PROBABILITY} in {NAME} must hold a probability of each class, of {list(classes)}, got "
            f"{list(told.least_probability)}; mend it"
        )
    return told


def unknown_distance(bundle: Bundle) -> float | None:
    """Return the distance beyond which an answer is `unknown`; None where it is turned off, and beside system B.

    Raises:
        SettingsError: A threshold of a metric network is missing, unknown or out of range.
    """
    told = class_thresholds(bundle) if bundle.manifest.system == "B" else None
    return told.unknown_distance if isinstance(told, MetricThresholds) else None


def decide(probability_C: npt.NDArray[np.floating], classes: Sequence[str], least: Mapping[str, float]) -> str:
    """Return the likeliest class among those as likely as they need to be, `unknown` where there is none."""
    sure = [index for index, name in enumerate(classes) if probability_C[index] >= least[name]]
    return classes[max(sure, key=lambda index: (probability_C[index], -index))] if sure else UNKNOWN
