"""Inspect with a classifier of windows: system D. The highest probability decides, the heat map tells where.

Shapes: B windows, H x W pixels, M metadata values.
"""

import math
from functools import cached_property
from typing import Any

import numpy as np

from glassline.deploy.bundle import Bundle
from glassline.deploy.inspection.lines import Found, Image, Judged, Picture, Real
from glassline.deploy.inspection.pixels import Seen, see
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import Unit
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import WindowThresholds, bundle_thresholds
from glassline.errors import ModelError
from glassline.vision.cut_settings import CutSettings
from glassline.vision.heat_map import HeatMap, HeatSettings, LocaliseSettings, boxes, heat_map


class WindowInspector:
    """Judges an image by its most defective window."""

    by_glass = False
    precision = "f32"

    def __init__(self, bundle: Bundle, how: Running) -> None:
        """Open the graph.

        Raises:
            ModelError: The bundle cannot be run, or knows no clean class.
            SettingsError: A threshold is missing, unknown or out of range, or an option is not for this system.
        """
        manifest = self.manifest = bundle.manifest
        how.check(manifest.system, ("f32",), False)
        if manifest.clean_class not in manifest.classes:
            raise ModelError(
                f"a heat map needs a classifier with a clean class, got {list(manifest.classes)}; train with one"
            )
        self._cut = CutSettings.parse(manifest.preprocessing["cut"])
        self._localise = LocaliseSettings.parse(manifest.preprocessing["localise"])
        told = bundle_thresholds(bundle, WindowThresholds)
        self._least, self._heat = told.least_probability, told.least_heat
        self.thresholds: dict[str, Any] = told.model_dump()
        self._classifier = OnnxClassifier(bundle, how.threads, how.classifier_runtime, how.device)
        self.runtime = self._classifier.runtime

    @cached_property
    def _clean(self) -> int:
        return self.manifest.classes.index(self.manifest.clean_class)

    def read(self, unit: Unit) -> Seen:
        """Read an image."""
        return see(unit, self._cut.depth_window, self._cut.light_state)

    def judge(self, seen: Seen) -> Judged:
        """Return the verdict on an image; boxes are looked for where it is defective only."""
        cut, clean = self._cut, self.manifest.clean_class
        laid = HeatSettings(window_px=cut.window_px, step_px=cut.step_px)
        highest = float(self._map(seen.grey_HW, laid).value_NM.max())
        probability = min(max(highest, 0.0), 1.0)
        (other,) = [name for name in self.manifest.classes if name != clean][:1] or ["defect"]
        told = {other: probability, clean: 1 - probability}
        if probability < self._least:
            return Judged("good", clean, told, product=seen.product, cycle=seen.cycle)
        heat = self._map(seen.grey_HW, self._localise.laid(cut.window_px))
        defects: tuple[Found, ...] = ()
        if self._heat is not None:
            defects = tuple(
                Found(bbox_px=one.bbox_px, label=other, probability=min(one.probability_max, 1.0))
                for one in boxes(heat, self._heat, self._localise)
            )
        picture = Picture(seen.picture_name, seen.grey_HW, heat.cells_RC, defects)
        return Judged(
            "defective", other, told, defects=defects, product=seen.product, cycle=seen.cycle, pictures=(picture,)
        )

    def _map(self, grey_HW: Image, laid: HeatSettings) -> HeatMap:
        size_px = grey_HW.shape[0], grey_HW.shape[1]
        return heat_map(lambda window: grey_HW[window.pixels], size_px, self._classify, laid)

    def _classify(self, patch_BHW: Image) -> Real:
        unknown_BM = np.full((len(patch_BHW), len(self.manifest.attributes)), math.nan, np.float32)
        return np.asarray(1 - self._classifier.predict(patch_BHW, unknown_BM)[:, self._clean], np.float32)
