"""The current model of the label merge: what stands behind its name.

Add a model: one entry in MODELS. A trained network needs none: the path of its bundle is its name.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Frames
from glassline.data.location import open_location
from glassline.errors import SettingsError
from glassline.vision.double_threshold import DoubleThresholdSettings, Segmentation, narrow, threshold
from glassline.vision.exposure import check_exposed
from glassline.vision.light_states import LightResponse, Real

# Of what stands out, scratch or not, beside a network's mask: as for the classical model's candidates.
_STANDS_OUT_SIGMA = DoubleThresholdSettings().high_sigma


@dataclass(frozen=True)
class CurrentModel:
    """A model that proposes and segments defects.

    Attributes:
        label: Class of what it finds.
        segment: From a zone's frames, its response to the light states, and how it was taken.
        evidence: From the last two, how strongly each pixel speaks for the class: for boxes where the mask has nothing.
    """

    label: str
    segment: Callable[[Frames, LightResponse, ZoneMeta], Segmentation]
    evidence: Callable[[LightResponse, ZoneMeta], Real]


def _classical(frames_SHW: Frames, response: LightResponse, meta: ZoneMeta) -> Segmentation:
    return threshold(response, meta.pitch_um, DoubleThresholdSettings())


def _narrow_and_directed(response: LightResponse, meta: ZoneMeta) -> Real:
    narrow_HW = narrow(response.strength_HW, DoubleThresholdSettings().max_width_um / meta.pitch_um)
    return np.asarray(narrow_HW * response.modulation_HW, np.float32)


MODELS = {"classical": CurrentModel("scratch", _classical, _narrow_and_directed)}


def is_known(name: str) -> bool:
    """Return whether a name is a model's, or the path or S3 URL of a bundle that is there.

    Raises:
        StorageError: The place of the bundle does not answer.
    """
    parent, _, file = name.rpartition("/")
    return name in MODELS or (file.endswith(".zip") and open_location(parent or ".").exists(file))


def model_sha256(name: str) -> str:
    """Return the SHA-256 of a bundle with its editable thresholds, "" for a model of the library.

    Args:
        name: What `is_known` knows.
    """
    parent, _, file = name.rpartition("/")
    return "" if name in MODELS else hashlib.sha256(open_location(parent or ".").read(file)).hexdigest()


def current_model(name: str) -> CurrentModel:
    """Return the model of a name.

    Args:
        name: One of MODELS, or the path or S3 URL of a bundle of a segmentation network.

    Raises:
        SettingsError: There is none.
        ModelError: The bundle may not be trusted, or holds another model.
    """
    if not is_known(name):
        raise SettingsError(
            f"model must be one of {', '.join(MODELS)}, or a bundle.zip that is there, got {name!r}; choose one of them"
        )
    return MODELS.get(name) or _of_bundle(name)


def _of_bundle(url: str) -> CurrentModel:
    """Return the network of a bundle. Boxes where it finds nothing are segmented by what the light states tell."""
    from glassline.deploy.bundle import fetch_bundle
    from glassline.deploy.segmenter import Segmenter
    from glassline.vision.scratches import scratch_mask

    segmenter = Segmenter(fetch_bundle(url))

    def segment(frames_SHW: Frames, response: LightResponse, meta: ZoneMeta) -> Segmentation:
        check_exposed(frames_SHW, meta)
        scores = segmenter.score_frames(frames_SHW[segmenter.format.order(meta)], meta.pitch_um)
        # Each pixel of a score map stands for a block of the zone; the last one may reach past its rim.
        block, whole_HW = (
            np.ones((scores.block_px, scores.block_px)),
            np.s_[: frames_SHW.shape[1], : frames_SHW.shape[2]],
        )
        score_HW = np.kron(scores.score_hw, block)[whole_HW].astype(np.float32)
        found_HW = np.kron(scratch_mask(scores, segmenter.find), block)[whole_HW] > 0
        return Segmentation(score_HW, found_HW, found_HW | (response.strength_HW > _STANDS_OUT_SIGMA))

    return CurrentModel(segmenter.label, segment, _narrow_and_directed)
