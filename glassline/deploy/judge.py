"""What a classifier's bundle says of units: a patch, or an image with all its candidates; `unknown` among the answers.

Shapes: N patches, H x W pixels, M metadata values.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.pooling import judge_units
from glassline.analysis.unknown import unit_distance, with_unknown
from glassline.deploy.bundle import Bundle
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import unknown_distance


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
        ModelError: The inputs have other shapes than the bundle's.
        SettingsError: A threshold of a metric network is missing, unknown or out of range.
    """
    classifier, threshold = OnnxClassifier(bundle), unknown_distance(bundle)
    judged = _decisions(bundle, rows, classifier.predict(patch_NHW, metadata_NM))
    if threshold is None:
        return judged
    return with_unknown(judged, unit_distance(rows, classifier.nearest_distance(patch_NHW, metadata_NM)), threshold)


def classify(
    bundle: Bundle, rows: pd.DataFrame, patch_NHW: npt.NDArray[np.uint8], metadata_NM: npt.NDArray[np.float32]
) -> pd.DataFrame:
    """Return one of the bundle's classes for every unit, as cross-validation decides; arguments as of `judge`.

    Raises:
        ModelError: The inputs have other shapes than the bundle's.
    """
    return _decisions(bundle, rows, OnnxClassifier(bundle).predict(patch_NHW, metadata_NM))


def _decisions(bundle: Bundle, rows: pd.DataFrame, probability_NC: npt.NDArray[np.float32]) -> pd.DataFrame:
    return judge_units(rows, probability_NC, bundle.manifest.classes, bundle.manifest.clean_class)
