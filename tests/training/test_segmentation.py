"""Fitting a segmentation network: it learns, resumes as if unbroken, comes back from disk as it was."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from glassline.data.importers import read_source
from glassline.data.store import open_store
from glassline.errors import DataError, ModelError, SettingsError
from glassline.training.fitted_segmenter import FittedSegmenter, load_segmenter, save_segmenter
from glassline.training.run_network import run_network
from glassline.training.segmentation import fit_segmenter
from glassline.training.settings import SegmentationSettings
from glassline.vision.labelled_zones import LabelledZones

TINY = {
    "unet": {"width": 1 / 32}, "patch_px": 64, "epochs": 2, "patches": 8, "batch_size": 4, "learning_rate": 3e-3,
    "threads": 1,
}  # fmt: skip
Fit = Callable[..., FittedSegmenter]


class _KilledError(Exception):
    pass


@pytest.fixture(scope="module")
def zones(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> LabelledZones:
    """Return four zones of as many glasses: a scratch on the first and last, a dent, nothing."""
    folder = write_labelled(tmp_path_factory.mktemp("labelled"), glasses=4)
    return LabelledZones(read_source(folder, "captures"), ["scratch"])


@pytest.fixture
def fit(zones: LabelledZones, tmp_path: Path) -> Fit:
    """Fit on a scratch and a dent: fit(seed=1, validation=[3], on_epoch=..., epochs=3)."""

    def run(seed=0, train=(0, 1), validation=(), on_epoch=lambda epoch, values: None, **settings):
        parsed = SegmentationSettings.parse({**TINY, **settings})
        return fit_segmenter(
            zones, list(train), list(validation), parsed, seed, open_store(tmp_path / "checkpoints"), on_epoch
        )

    return run


def same(one: FittedSegmenter, other: FittedSegmenter) -> bool:
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def dies_in_the_second(epoch, values):
    if epoch == 1:
        raise _KilledError


@pytest.mark.parametrize("loss", ["autoencoder", "cross_entropy", "squared"])
def test_fit_lowers_the_loss(fit: Fit, loss: str) -> None:
    fitted = fit(loss={"name": loss})
    assert fitted.history["train_loss"].iloc[1] < fitted.history["train_loss"].iloc[0]
    assert not fitted.model.training


def test_fit_is_the_same_for_one_seed_and_another_for_another(fit: Fit) -> None:
    first = fit(seed=3, epochs=1)
    torch.manual_seed(99)
    assert same(fit(seed=3, epochs=1), first)
    assert not same(fit(seed=4, epochs=1), first)


def test_fit_that_was_killed_resumes_as_if_unbroken(fit: Fit, tmp_path: Path) -> None:
    unbroken, called = fit(schedule="one-cycle"), []
    with pytest.raises(_KilledError):
        fit(schedule="one-cycle", on_epoch=dies_in_the_second)
    torch.manual_seed(99)
    resumed = fit(schedule="one-cycle", on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [1]
    assert same(resumed, unbroken)
    assert resumed.history.equals(unbroken.history)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_fit_never_resumes_what_is_trained_otherwise(fit: Fit, tmp_path: Path) -> None:
    for count, changed in enumerate(({}, {"seed": 1}, {"train": (0, 3)}, {"loss": {"alpha": 0.5}}), start=1):
        with pytest.raises(_KilledError):
            fit(**changed, patches=4, on_epoch=dies_in_the_second)
        assert len(list((tmp_path / "checkpoints").iterdir())) == count


@pytest.mark.parametrize("of", [{}, {"direction_blind": True}, {"unet": {"width": 1 / 32, "block_px": 1}}])
def test_fitted_network_comes_back_from_disk_with_equal_scores(fit: Fit, tmp_path: Path, of: dict) -> None:
    fitted = fit(epochs=1, patches=4, **of)
    save_segmenter(fitted, tmp_path / "model")
    loaded = load_segmenter(tmp_path / "model")
    states, block_px = (1 if of.get("direction_blind") else 2), of.get("unet", {}).get("block_px", 2)
    sigmas_BSHW = np.random.default_rng(0).normal(0, 9, (2, states, 64, 128)).astype(np.float32)
    score_Bhw = run_network(fitted)(sigmas_BSHW)
    np.testing.assert_array_equal(run_network(loaded)(sigmas_BSHW), score_Bhw)
    assert score_Bhw.shape == (2, 64 // block_px, 128 // block_px)
    assert (loaded.settings, loaded.format) == (fitted.settings, fitted.format)
    assert 0 <= score_Bhw.min() <= score_Bhw.max() <= 1


def test_load_names_what_a_folder_lacks(fit: Fit, tmp_path: Path) -> None:
    save_segmenter(fit(epochs=1, patches=4), tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"missing: \['model.safetensors'\]; run train_unet again"):
        load_segmenter(tmp_path / "model")


def test_fit_whose_loss_is_no_number_stops_with_an_error(fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "glassline.training.losses.squared.SquaredLoss.forward",
        lambda self, scales, scratch_BHW, sigmas_BSHW: scales[0].sum() * torch.nan,
    )
    with pytest.raises(ModelError, match="train_loss must stay finite, got nan in epoch 0; lower"):
        fit(loss={"name": "squared"})


def test_glass_on_both_sides_is_refused(fit: Fit) -> None:
    with pytest.raises(DataError, match=r"trained or validated on, not both, got \['G0002'\]; split by glass"):
        fit(train=[0, 2], validation=[2, 3])


@pytest.mark.parametrize(("validation", "shown"), [([3], True), ([2], False)])
def test_validation_loss_is_shown_where_there_is_a_scratch(
    fit: Fit, monkeypatch: pytest.MonkeyPatch, validation: list[int], shown: bool
) -> None:
    monkeypatch.setattr("glassline.training.segmentation.VALIDATION_BATCHES", 1)
    assert ("val_loss" in fit(epochs=1, patches=4, validation=validation).history) == shown


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"patch_px": 96}, "patch_px must be a multiple of 64, got 96"),
        ({"patches": 3}, r"patches must be at least batch_size \(4\), got 3"),
    ],
)
def test_settings_refuse_what_cannot_be_trained(fit: Fit, wrong: dict, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        fit(**wrong)


def test_fit_on_two_devices_is_that_of_one(fit: Fit) -> None:
    called = []
    one, two = fit(), fit(devices=2, on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [0, 1]
    np.testing.assert_allclose(two.history.to_numpy(), one.history.to_numpy(), rtol=1e-5)
    for a, b in zip(two.model.parameters(), one.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
