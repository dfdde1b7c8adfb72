"""The step that exports a classifier of windows."""

import json
from itertools import repeat

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.deploy.bundle import load_bundle
from glassline.models.backbone import TransferNetwork
from glassline.steps.export_transfer import export_transfer
from glassline.steps.localise_defects import METRICS
from glassline.steps.train_transfer import EVALUATION
from glassline.tracking import client
from glassline.training.batch_statistics import settle_statistics
from glassline.training.fitted import Fitted, save_fitted
from glassline.training.settings import TrainingSettings
from glassline.vision.heat_store import HEAT

CUT = {"window_px": 64, "step_px": 32, "depth_window": [0, 1500], "extract": {"normalise_px": 31}}


@pytest.fixture
def exported(make_table, tmp_path):
    """Export an untrained network: exported(rate=None, candidates=True) -> its bundle."""

    def run(rate: float | None = 0.75, boxes: float | None = 0.4, candidates: bool = False):
        table = make_table(["defect", "clean"] * 6, classes=("defect", "clean"), fold=[0, 0, 1, 1, 2, 2] * 2)
        if not candidates:
            table = table.with_rows(table.rows.drop(columns="attr_area"))
        table.write(tmp_path / "target.parquet")
        settings = TrainingSettings.parse({"backbone": {"network": "timm/test_resnet.r160_in1k"}})
        torch.manual_seed(0)
        model = TransferNetwork(2, settings.backbone)
        noise = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (9, 112, 112), np.uint8)).float()
        settle_statistics(model.image, repeat(noise, 1))
        classes, sources = ("defect", "clean"), ("P1/dent", "P2")
        fitted = Fitted("transfer", model.eval(), classes, "clean", (), settings, pd.DataFrame(), "random", sources)
        save_fitted(fitted, tmp_path / "model")
        told = {"threshold": 0.3, "tpr": rate, "tnr": 1.0, "average_precision": rate}
        metrics = {} if boxes is None else {HEAT: {"threshold": boxes}}
        for name, what in ((EVALUATION, told), (METRICS, metrics)):
            (tmp_path / name).write_text(json.dumps(what))
        export_transfer(
            str(tmp_path / "target.parquet"), str(tmp_path / "model"), str(tmp_path), str(tmp_path), CUT,
            {"step_px": 16}, "glassline-T-transfer", str(tmp_path / "bundle"),
        )  # fmt: skip
        return load_bundle(tmp_path / "bundle" / "bundle.zip")

    return run


def test_the_bundle_tells_all_that_an_inspector_needs(exported):
    bundle = exported()
    cut, localise = (bundle.manifest.preprocessing[name] for name in ("cut", "localise"))
    assert (cut["window_px"], cut["step_px"], cut["depth_window"]) == (64, 32, [0, 1500])
    assert (localise["step_px"], "join_px" in localise, "least_px" in localise) == (16, True, True)
    assert bundle.thresholds == {"least_probability": 0.3, "least_heat": 0.4}
    assert bundle.manifest.metrics == {"tpr": 0.75, "tnr": 1.0, "average_precision": 0.75}
    assert client().get_model_version_by_alias("glassline-T-transfer", "challenger")


def test_a_rate_of_nothing_is_no_figure_of_the_bundle(exported):
    assert exported(rate=None).manifest.metrics == {"tnr": 1.0}


def test_a_classifier_of_candidates_says_how_they_are_found(exported):
    bundle = exported(boxes=None, candidates=True)
    (extract,) = bundle.manifest.preprocessing.values()
    assert (extract["normalise_px"], extract["depth_window"]) == (31, [0, 1500])
    assert bundle.thresholds == {"least_probability": 0.3}


def test_windows_of_which_no_box_was_made_say_so(exported):
    assert exported(boxes=None).thresholds == {"least_probability": 0.3, "least_heat": None}
