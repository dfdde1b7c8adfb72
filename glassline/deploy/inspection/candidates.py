"""Inspect with a classifier of candidates: systems A and B, and D where no image told places.

Shapes: N candidates, H x W pixels, M metadata values, C classes.
"""

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from glassline.analysis.pooling import pool_patches
from glassline.analysis.unknown import UNKNOWN
from glassline.deploy.bundle import Bundle
from glassline.deploy.inspection.lines import Found, Judged, Picture
from glassline.deploy.inspection.pixels import Seen, see
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import Unit
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import (
    CandidateThresholds,
    bundle_thresholds,
    class_thresholds,
    decide,
    unknown_distance,
)
from glassline.errors import DataError, ModelError
from glassline.vision.candidate_patches import CandidatePatch, ExtractSettings, extract_candidates

_SYSTEMATIC = "systematic.png"


class CandidateInspector:
    """Judges an image by its most defective candidate, as the pipeline does."""

    by_glass = False
    precision = "f32"

    def __init__(self, bundle: Bundle, how: Running) -> None:
        """Open the graph.

        Raises:
            ModelError: The bundle cannot be run, or lacks what it needs.
            SettingsError: A threshold is missing, unknown or out of range, or an option is not for this system.
        """
        manifest = self.manifest = bundle.manifest
        how.check(manifest.system, ("f32",), False)
        self._extract = ExtractSettings.parse(manifest.preprocessing["extract"])
        self._systematic_HW = _systematic(bundle) if self._extract.systematic else None
        self._clean = manifest.classes.index(manifest.clean_class) if manifest.clean_class else None
        self._distance = unknown_distance(bundle)
        self._by_probability = manifest.system == "D"
        if self._by_probability:
            only = bundle_thresholds(bundle, CandidateThresholds)
            self._least, self._defective = dict.fromkeys(manifest.classes, 0.0), only.least_probability
            self.thresholds: dict[str, Any] = only.model_dump()
        else:
            told = class_thresholds(bundle)
            self._least, self.thresholds = told.least_probability, told.model_dump()
        self._classifier = OnnxClassifier(bundle, how.threads, how.classifier_runtime, how.device)
        self.runtime = self._classifier.runtime

    def read(self, unit: Unit) -> Seen:
        """Read an image and find its candidates."""
        seen = see(unit, self._extract.depth_window, self._extract.light_state)
        try:
            found = extract_candidates(seen.grey_HW, self._extract, self._systematic_HW)
        except DataError as error:
            raise DataError(f"{unit.name}: {error}") from error
        return replace(seen, more=found)

    def judge(self, seen: Seen) -> Judged:
        """Return the verdict on an image."""
        found: list[CandidatePatch] = seen.more
        if not found:
            if self._clean is None:
                raise DataError(
                    f"{seen.unit.name} must show something that stands out, got nothing, and the bundle knows no clean "
                    "class; check light and focus"
                )
            return Judged("good", self.manifest.clean_class, product=seen.product, cycle=seen.cycle)
        patch_NHW = np.stack([one.patch_HW for one in found])
        metadata_NM = self._metadata(seen, found)
        probability_NC = self._classifier.predict(patch_NHW, metadata_NM)
        distance_N = None
        if self._distance is not None:
            distance_N = self._classifier.nearest_distance(patch_NHW, metadata_NM)
        return self._judged(seen, found, probability_NC, distance_N)

    def _judged(
        self, seen: Seen, found: list[CandidatePatch], probability_NC: npt.NDArray[np.float32],
        distance_N: npt.NDArray[np.float32] | None,
    ) -> Judged:  # fmt: skip
        classes = self.manifest.classes
        pooled_C = pool_patches(probability_NC, self._clean)
        distance = None if distance_N is None else float(distance_N.max())
        label = self._label(pooled_C, distance)
        told = dict(zip(classes, map(float, pooled_C), strict=True))
        if self.manifest.clean_class and label == self.manifest.clean_class:
            return Judged("good", label, told, distance, product=seen.product, cycle=seen.cycle)
        labels = [
            self._label(np.asarray(one_C, np.float64), None if distance_N is None else float(distance_N[number]))
            for number, one_C in enumerate(probability_NC)
        ]
        chosen = [number for number, one in enumerate(labels) if one != self.manifest.clean_class]
        if not chosen:  # defective by all of them together
            chosen = [int(probability_NC[:, classes.index(label)].argmax()) if label in classes else 0]
            labels[chosen[0]] = label
        places = [_found(found[number], labels[number], probability_NC[number], classes) for number in chosen]
        defects = tuple(sorted(places, key=lambda one: -(one.probability or 0.0)))
        return Judged(
            "unknown" if label == UNKNOWN else "defective", label, told, distance, defects=defects,
            product=seen.product, cycle=seen.cycle,
            pictures=(Picture(seen.picture_name, seen.grey_HW, None, defects),),
        )  # fmt: skip

    def _label(self, pooled_C: npt.NDArray[np.float64], distance: float | None) -> str:
        if distance is not None and self._distance is not None and distance > self._distance:
            return UNKNOWN
        if not self._by_probability or self._clean is None:
            return decide(pooled_C, self.manifest.classes, self._least)
        # As the pipeline found the threshold: by the image's highest probability of a defect.
        if 1 - pooled_C[self._clean] < self._defective:
            return self.manifest.clean_class
        others = [index for index in range(len(pooled_C)) if index != self._clean]
        return self.manifest.classes[max(others, key=lambda index: pooled_C[index])]

    def _metadata(self, seen: Seen, found: list[CandidatePatch]) -> npt.NDArray[np.float32]:
        pitch_mm = seen.pitch_um / 1000
        rows = []
        for one in found:
            x, y = one.candidate.middle_px
            told = {f"attr_{name}": value for name, value in one.candidate.attributes.items()}
            told |= {"x_mm": seen.x_mm + x * pitch_mm, "y_mm": seen.y_mm + y * pitch_mm}
            if missing := [name for name in self.manifest.attributes if name not in told]:
                raise ModelError(f"the bundle reads the columns {missing}, candidates have none such; export it again")
            rows.append([told[name] for name in self.manifest.attributes])
        return np.array(rows, np.float64).reshape(len(found), -1).astype(np.float32)


def _found(
    one: CandidatePatch, label: str, probability_C: npt.NDArray[np.float32], classes: tuple[str, ...]
) -> Found:  # fmt: skip
    box = one.candidate
    probability = float(probability_C[classes.index(label)]) if label in classes else None
    return Found(bbox_px=(box.x_px, box.y_px, box.width_px, box.height_px), label=label, probability=probability)


def _systematic(bundle: Bundle) -> npt.NDArray[np.bool_]:
    """Return where the rig itself leaves a mark."""
    image_HW = None
    if _SYSTEMATIC in bundle.files:
        image_HW = cv2.imdecode(np.frombuffer(bundle.files[_SYSTEMATIC], np.uint8), cv2.IMREAD_GRAYSCALE)
    if image_HW is None:
        raise ModelError(
            f"a bundle whose candidates pass over what the rig leaves must hold {_SYSTEMATIC}, got "
            f"{sorted(bundle.files)}; export it again"
        )
    return np.asarray(image_HW > 127)
