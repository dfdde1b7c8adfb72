"""Patches as a champion sees them, by ONNX Runtime; as gradients where there is none that can.

Shapes: N patches, H x W pixels, F features.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.deploy.bundle import Bundle
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import unknown_distance
from glassline.errors import ModelError, SettingsError
from glassline.vision.gradients import gradient_histograms

FeatureKind = Literal["embedding", "probability", "gradients"]

#: What features are, in words.
FEATURE_WORDS: dict[FeatureKind, str] = {
    "embedding": "the champion's embeddings", "probability": "the champion's class probabilities",
    "gradients": "histograms of oriented gradients",
}  # fmt: skip


@dataclass(frozen=True)
class PatchFeatures:
    """What became of patches.

    Attributes:
        kind: What the features are.
        features_NF: The features.
        beyond_N: Which patches lie farther from every reference than the champion's threshold; None where it has none.
        why: Why the champion was not asked, "" where it was.
    """

    kind: FeatureKind
    features_NF: npt.NDArray[np.float32]
    beyond_N: npt.NDArray[np.bool_] | None = None
    why: str = ""


def patch_features(bundle: Bundle | None, rows: pd.DataFrame, patch_NHW: npt.NDArray[np.uint8]) -> PatchFeatures:
    """Return embeddings of a metric network, probabilities of another classifier, or gradients.

    Args:
        bundle: The champion's bundle, None where there is none.
        rows: Rows of a table of patches.
        patch_NHW: Their patches.
    """
    if bundle is None:
        return PatchFeatures("gradients", gradient_histograms(patch_NHW), why="there is no champion that can be asked")
    metadata_NM = rows.reindex(columns=list(bundle.manifest.attributes)).to_numpy(np.float32)
    try:
        classifier = OnnxClassifier(bundle)
        if bundle.manifest.system != "B":
            return PatchFeatures("probability", classifier.predict(patch_NHW, metadata_NM))
        embedding_NE = classifier.embed(patch_NHW, metadata_NM)
        threshold = unknown_distance(bundle)
        if threshold is None:
            return PatchFeatures("embedding", embedding_NE)
        return PatchFeatures("embedding", embedding_NE, classifier.nearest_distance(patch_NHW, metadata_NM) > threshold)
    except (ModelError, SettingsError) as error:
        return PatchFeatures("gradients", gradient_histograms(patch_NHW), why=str(error))
