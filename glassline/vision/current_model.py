"""The current model of the label merge: what stands behind its name.

Add a model: one entry in MODELS.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassline.data.captures.meta import ZoneMeta
from glassline.errors import SettingsError
from glassline.vision.double_threshold import DoubleThresholdSettings, Segmentation, narrow, threshold
from glassline.vision.light_states import LightResponse, Real


@dataclass(frozen=True)
class CurrentModel:
    """A model that proposes and segments defects.

    Attributes:
        label: Class of what it finds.
        segment: From a zone's response to the light states and how it was taken.
        evidence: From the same, how strongly each pixel speaks for the class: for boxes where the mask has nothing.
    """

    label: str
    segment: Callable[[LightResponse, ZoneMeta], Segmentation]
    evidence: Callable[[LightResponse, ZoneMeta], Real]


def _classical(response: LightResponse, meta: ZoneMeta) -> Segmentation:
    return threshold(response, meta.pitch_um, DoubleThresholdSettings())


def _narrow_and_directed(response: LightResponse, meta: ZoneMeta) -> Real:
    narrow_HW = narrow(response.strength_HW, DoubleThresholdSettings().max_width_um / meta.pitch_um)
    return np.asarray(narrow_HW * response.modulation_HW, np.float32)


MODELS = {"classical": CurrentModel("scratch", _classical, _narrow_and_directed)}


def current_model(name: str) -> CurrentModel:
    """Return the model of a name.

    Raises:
        SettingsError: There is none.
    """
    if name not in MODELS:
        raise SettingsError(f"model must be one of {', '.join(MODELS)}, got {name!r}; choose one of them")
    return MODELS[name]
