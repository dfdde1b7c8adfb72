"""Small bundles of systems A and D, untrained, with the networks that they were made of."""

from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from glassline.deploy.bundle import write_bundle
from glassline.deploy.export import classifier_files, classifier_manifest
from glassline.models.backbone import TransferNetwork
from glassline.models.registry import build_model
from glassline.training.batch_statistics import settle_statistics
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings
from glassline.vision.candidate_patches import ExtractSettings, extract_candidates
from glassline.vision.cut_settings import CutSettings
from glassline.vision.heat_map import LocaliseSettings

CLASSES = ("bright", "dark", "plain")
EXTRACT = ExtractSettings.parse({"candidates": {"per_image": 4}, "normalise_px": 0})
CUT = CutSettings(window_px=64, step_px=32)
LOCALISE = LocaliseSettings(step_px=16)


def attributes() -> tuple[str, ...]:
    """Return the columns that candidates have."""
    (one, *_) = extract_candidates(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), EXTRACT)
    return ("x_mm", "y_mm", *sorted(f"attr_{name}" for name in one.candidate.attributes))


def classifier_bundle(path: Path, name: str = "ensemble_fusion", thresholds: dict[str, Any] | None = None) -> Fitted:
    """Write the bundle of a classifier of candidates of system A and return the classifier."""
    torch.manual_seed(1)
    settings = TrainingSettings.parse({"cnn": {"filters": 4}})
    model = build_model(name, 112, len(attributes()), 3, settings).eval()
    fitted = Fitted(name, model, CLASSES, "plain", attributes(), settings, pd.DataFrame())
    told = classifier_manifest(fitted, EXTRACT.model_dump(mode="json"), "d" * 64, "c" * 40, {})
    least = {"least_probability": dict.fromkeys(CLASSES, 0.0)} if thresholds is None else thresholds
    write_bundle(path, told, {**classifier_files(fitted, "d" * 64), "card.md": b""}, least)
    return fitted


def window_bundle(path: Path, least_probability: float = 0.5, least_heat: float = 0.5) -> Fitted:
    """Write the bundle of a classifier of windows of system D and return the classifier."""
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"backbone": {"network": "timm/test_resnet.r160_in1k"}})
    model = TransferNetwork(2, settings.backbone)
    noise = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 112, 112), np.uint8)).float()
    settle_statistics(model.image, repeat(noise, 1))
    fitted = Fitted("transfer", model.eval(), ("defect", "clean"), "clean", (), settings, pd.DataFrame(), "random", ())
    told = classifier_manifest(fitted, {}, "d" * 64, "c" * 40, {})
    before = {"cut": CUT.model_dump(mode="json", exclude={"extract"}), "localise": LOCALISE.model_dump(mode="json")}
    told = told.model_copy(update={"preprocessing": before})
    thresholds = {"least_probability": least_probability, "least_heat": least_heat}
    write_bundle(path, told, {**classifier_files(fitted, "d" * 64), "card.md": b""}, thresholds)
    return fitted
