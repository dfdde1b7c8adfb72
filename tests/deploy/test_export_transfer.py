"""The bundle of a transfer network: its graph says what torch says, or there is no bundle."""

from itertools import repeat

import numpy as np
import pandas as pd
import pytest
import torch

from glassline.deploy.bundle import load_bundle
from glassline.deploy.export import TOLERANCE, check_parity, to_onnx
from glassline.deploy.export_transfer import export_transfer
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError
from glassline.models.backbone import TransferNetwork
from glassline.training.batch_statistics import settle_statistics
from glassline.training.fitted import Fitted
from glassline.training.settings import TrainingSettings

TINY = "timm/test_resnet.r160_in1k"
PATCH_NHW = np.random.default_rng(0).integers(0, 256, (9, 112, 112), dtype=np.uint8)


def _fitted(network: str) -> Fitted:
    torch.manual_seed(0)
    settings = TrainingSettings.parse({"backbone": {"network": network}})
    model = TransferNetwork(2, settings.backbone).to(memory_format=torch.channels_last)
    settle_statistics(model.image, repeat(torch.from_numpy(PATCH_NHW).float(), 1))  # else Inception's logits saturate
    start, sources = "random", ("P1/dent", "P2")
    return Fitted("transfer", model.eval(), ("clean", "dent"), "clean", (), settings, pd.DataFrame(), start, sources)


def _export(fitted: Fitted, path) -> None:
    export_transfer(fitted, path, PATCH_NHW, {"cut": {"step_px": 56}}, {"heat": 0.5}, "d" * 64, "c" * 40, {"tpr": 0.9})


def _expected(fitted: Fitted, rows: int) -> np.ndarray:
    with torch.inference_mode():
        return fitted.model(torch.from_numpy(PATCH_NHW[:rows]).float(), torch.zeros(rows, 0)).softmax(1).numpy()


def test_inception_as_a_graph_says_what_torch_says_of_any_number_of_patches():
    import onnxruntime

    fitted = _fitted("inception_v3")
    session = onnxruntime.InferenceSession(to_onnx(fitted))
    for rows in (1, 3, 9):
        given = {"patch": PATCH_NHW[:rows], "metadata": np.zeros((rows, 0), np.float32)}
        (found_BC,) = session.run(["probability"], given)
        assert check_parity(_expected(fitted, rows), found_BC) <= TOLERANCE
    assert np.ptp(found_BC[:, 0]) > 1e-4


def test_the_bundle_says_how_windows_are_cut_and_what_it_learnt_from(tmp_path):
    fitted = _fitted(TINY)
    _export(fitted, tmp_path / "bundle.zip")
    bundle = load_bundle(tmp_path / "bundle.zip")
    told = bundle.manifest
    assert (told.system, told.model, told.attributes) == ("D", "transfer", ())
    assert (told.start, told.sources) == ("random", ("P1/dent", "P2"))
    assert told.preprocessing == {"cut": {"step_px": 56}}
    assert told.parity["largest_difference"] <= TOLERANCE
    assert bundle.thresholds == {"heat": 0.5}
    card = bundle.files["card.md"].decode()
    assert "Weights that it started from: random." in card
    assert "Learnt from before: `P1/dent`, `P2`." in card
    found_BC = OnnxClassifier(bundle, threads=1).predict(PATCH_NHW, np.zeros((9, 0), np.float32))
    np.testing.assert_allclose(found_BC, _expected(fitted, 9), atol=TOLERANCE)


def test_no_bundle_is_written_where_the_runtime_disagrees(tmp_path, monkeypatch):
    monkeypatch.setattr("glassline.deploy.export_transfer._expected", lambda *_: np.full((9, 2), 0.5, np.float32))
    with pytest.raises(ModelError, match="must agree within"):
        _export(_fitted(TINY), tmp_path / "bundle.zip")
    assert not list(tmp_path.iterdir())
