"""What a classifier's bundle says of units: a patch, or an image with all its candidates; `unknown` among the answers.

Shapes: N patches, H x W pixels, M metadata values.
"""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.pooling import judge_units
from glassline.analysis.unknown import unit_distance, with_unknown
from glassline.deploy.bundle import Bundle
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError

#: Threshold of the sidecar.
UNKNOWN_DISTANCE = "unknown_distance"


def judge(
    bundle: Bundle, rows: pd.DataFrame, patch_NHW: npt.NDArray[np.uint8], metadata_NM: npt.NDArray[np.float32]
) -> pd.DataFrame:
    """Return the decisions of `judge_units`; beyond the sidecar's distance from every reference they are `unknown`.

    Args:
        bundle: A classifier's bundle.
        rows: Rows of a table of patches.
        patch_NHW: Their patches, grey levels 0 to 255.
        metadata_NM: Their metadata in the bundle's column order, NaN where unknown.

    Raises:
        ModelError: The inputs have other shapes than the bundle's, or its threshold is no distance.
    """
    classifier, manifest = OnnxClassifier(bundle), bundle.manifest
    judged = judge_units(rows, classifier.predict(patch_NHW, metadata_NM), manifest.classes, manifest.clean_class)
    if UNKNOWN_DISTANCE not in bundle.thresholds:
        return judged
    threshold = bundle.thresholds[UNKNOWN_DISTANCE]
    if not isinstance(threshold, int | float) or isinstance(threshold, bool) or not 0 <= threshold < math.inf:
        raise ModelError(
            f"{UNKNOWN_DISTANCE} in thresholds.yaml must be a distance >= 0, got {threshold!r}; mend it, or delete the "
            "line to answer with known classes alone"
        )
    return with_unknown(judged, unit_distance(rows, classifier.nearest_distance(patch_NHW, metadata_NM)), threshold)
