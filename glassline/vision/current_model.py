"""The current model of the label merge: what stands behind its name.

Add a model: one entry in MODELS.
"""

from collections.abc import Callable
from dataclasses import dataclass

from glassline.data.captures.meta import ZoneMeta
from glassline.errors import SettingsError
from glassline.vision.double_threshold import DoubleThresholdSettings, Segmentation, threshold
from glassline.vision.light_states import LightResponse


@dataclass(frozen=True)
class CurrentModel:
    """A model that proposes and segments defects.

    Attributes:
        label: Class of what it finds.
        segment: From a zone's response to the light states and how it was taken.
    """

    label: str
    segment: Callable[[LightResponse, ZoneMeta], Segmentation]


def _classical(response: LightResponse, meta: ZoneMeta) -> Segmentation:
    return threshold(response, meta.pitch_um, DoubleThresholdSettings())


MODELS = {"classical": CurrentModel("scratch", _classical)}


def current_model(name: str) -> CurrentModel:
    """Return the model of a name.

    Raises:
        SettingsError: There is none.
    """
    if name not in MODELS:
        raise SettingsError(f"model must be one of {', '.join(MODELS)}, got {name!r}; choose one of them")
    return MODELS[name]
