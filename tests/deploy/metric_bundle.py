"""A small metric network that tells patches apart by their level, as a bundle."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from glassline.deploy.bundle import Manifest, write_bundle
from glassline.deploy.export import classifier_files, classifier_manifest
from glassline.models.registry import build_model
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings

LEVELS = {"dent": 30, "mold": 230, "fold": 130}


def level_patches(label: str, count: int) -> npt.NDArray[np.uint8]:
    """Return noisy patches (N, 112, 112) of a class's level."""
    noise = np.random.default_rng(len(label)).integers(-5, 6, (count, 112, 112))
    return (LEVELS[label] + noise).astype(np.uint8)


def metadata(count: int) -> npt.NDArray[np.float32]:
    return np.zeros((count, 3), np.float32)


def metric_fitted(name: str = "triplet", head: str = "knn") -> Fitted:
    """Return a network that knows dents and molds."""
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"cnn": {"filters": 8}, "embedding": {"width": 16, "head": head}})
    model = build_model(name, 112, 3, 2, settings).eval()
    patch_NHW = torch.from_numpy(np.concatenate([level_patches("dent", 6), level_patches("mold", 6)])).float()
    with torch.no_grad():
        model.refer(model.embed(patch_NHW, torch.zeros(12, 3)), torch.arange(12) // 6)
        model.log_prior_C = torch.tensor([0.8, 0.2]).log()
    return Fitted(name, model, ("dent", "mold"), "", ("x_mm", "y_mm", "attr_area"), settings, pd.DataFrame())


def write_metric_bundle(path: Path, manifest: Manifest, name: str = "triplet", head: str = "knn") -> Fitted:
    """Write the network's bundle and return the network."""
    fitted = metric_fitted(name, head)
    told = classifier_manifest(fitted, manifest.preprocessing["extract"], manifest.data_hash, "c" * 40, {})
    files = {**classifier_files(fitted, manifest.data_hash), "card.md": b""}
    write_bundle(path, told, files, {"least_probability": dict.fromkeys(fitted.classes, 0.0), "unknown_distance": 0.5})
    return fitted
