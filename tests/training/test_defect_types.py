"""Fitting the classifier of defect types: balanced windows, a fit that learns, resumes and comes back from disk."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from glassline.data.store import open_store
from glassline.errors import DataError, ModelError
from glassline.training.defect_types import fit_types
from glassline.training.fitted_types import FittedTypes, load_types, run_types, save_types
from glassline.training.settings import DefectTypeSettings
from glassline.training.type_stream import PlainWindows, TypeStream
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.defects import Defect
from glassline.vision.type_sources import gather_sources
from glassline.vision.type_windows import type_windows, vote_types

TINY = {
    "classifier": {"network": "resnet18", "window_px": 32}, "epochs": 1, "windows": 4, "batch_size": 4, "threads": 1,
}  # fmt: skip
LABELS = ["spot", "line", "", "spot", "line", ""]
WRONG = [(2, (20, 20, 8, 8))]
Fit = Callable[..., FittedTypes]


class _KilledError(Exception):
    pass


class _Small(nn.Module):
    """A network as quick as can be, where it is not the network that is tested."""

    def __init__(self, settings, colour, classes):
        super().__init__()
        self.network = nn.Sequential(nn.Conv2d(1, 4, 4, stride=4), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.head = nn.Linear(256, classes)

    def forward(self, window):
        return self.head(self.network(window[:, None].float() / 127.5 - 1))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glassline.training.defect_types.build_type_classifier", _Small)


@pytest.fixture
def fit(typed_images: Callable[..., AnnotatedImages], tmp_path: Path) -> Fit:
    """Fit on a spot, a line and clean glass: fit(seed=1, validation=[3, 4], windows=8)."""

    def run(
        seed=0, train=(0, 1, 2), validation=(), wrong=(), images=None, on_epoch=lambda epoch, values: None, **settings
    ):
        parsed = DefectTypeSettings.parse({**TINY, **settings})
        chosen = images or typed_images(LABELS)
        return fit_types(
            chosen,
            list(train),
            list(validation),
            list(wrong),
            parsed,
            seed,
            open_store(tmp_path / "checkpoints"),
            on_epoch,
        )

    return run


def same(one: FittedTypes, other: FittedTypes) -> bool:
    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def dies_in_the_second(epoch, values):
    if epoch == 1:
        raise _KilledError


def test_every_batch_draws_as_many_windows_of_each_class(typed_images):
    stream = TypeStream(gather_sources(typed_images([*LABELS, *["spot"] * 5]), range(11), WRONG, 32, 0), 0)
    assert Counter(stream.__getitems__(list(range(12)))["type_B"].tolist()) == {0: 4, 1: 4, 2: 4}


def test_windows_follow_from_seed_and_place(typed_images):
    sources = gather_sources(typed_images(LABELS), range(6), WRONG, 32, 0)
    first, again, other = (TypeStream(sources, seed) for seed in (1, 1, 2))
    assert torch.equal(first.__getitems__([5, 9])["window_BPP"], again.__getitems__([5, 9])["window_BPP"])
    assert torch.equal(first.__getitems__([5, 9])["window_BPP"][1], first[9]["window_BPP"][0])
    assert not torch.equal(first[5]["window_BPP"], other[5]["window_BPP"])


def test_half_of_the_clean_windows_are_the_few_false_positives(typed_images):
    images = typed_images(LABELS)
    sources = gather_sources(images, range(6), WRONG, 32, 0)
    stream = TypeStream(sources, 0)
    drawn = [stream._clean(np.random.default_rng(seed)) is sources.false_positives for seed in range(400)]
    assert 0.42 < np.mean(drawn) < 0.58


def test_validation_sees_every_window_once(typed_images):
    sources = gather_sources(typed_images(LABELS), [0, 1, 3], [], 32, 0)
    windows = PlainWindows(sources)
    types = windows.__getitems__(list(range(len(windows))))["type_B"].tolist()
    assert Counter(types) == {0: 1, 1: 2, 2: len(sources.random_clean)}


def test_short_fit_tells_spots_from_lines_from_clean_glass(fit, typed_images):
    images = typed_images(LABELS * 2)
    fitted = fit(images=images, train=range(6), validation=range(6, 12), epochs=2, windows=192, batch_size=32)
    assert fitted.classes == ("line", "spot", "clean")
    assert fitted.history["val_accuracy"].iloc[-1] == 1
    x, y, width, height = images._objects[6][0]["bbox"]
    spot = Defect((x, y, width, height), np.ones((height, width), np.bool_), 5.0, 5.0, 5.0, width * height)
    [(name, probability)] = vote_types(images.pixels(6), [spot], 1, run_types(fitted), fitted.classes, 32)
    assert name == "spot"
    assert 1 / 3 < probability <= 1


@pytest.mark.usefixtures("small")
def test_fit_is_the_same_for_one_seed_and_another_for_another(fit):
    first = fit(seed=3)
    torch.manual_seed(99)
    assert same(fit(seed=3), first)
    assert not same(fit(seed=4), first)


@pytest.mark.usefixtures("small")
def test_fit_that_was_killed_resumes_as_if_unbroken(fit, tmp_path):
    unbroken, called = fit(epochs=2, validation=[3, 4]), []
    with pytest.raises(_KilledError):
        fit(epochs=2, validation=[3, 4], on_epoch=dies_in_the_second)
    torch.manual_seed(99)
    resumed = fit(epochs=2, validation=[3, 4], on_epoch=lambda epoch, values: called.append(epoch))
    assert called == [1]
    assert same(resumed, unbroken)
    assert resumed.history.equals(unbroken.history)
    assert list((tmp_path / "checkpoints").iterdir()) == []


@pytest.mark.usefixtures("small")
def test_fit_never_resumes_what_is_trained_otherwise(fit, tmp_path):
    changes = ({}, {"seed": 1}, {"train": (0, 1, 3)}, {"wrong": WRONG}, {"learning_rate": 2e-3})
    for count, changed in enumerate(changes, start=1):
        with pytest.raises(_KilledError):
            fit(**changed, epochs=2, on_epoch=dies_in_the_second)
        assert len(list((tmp_path / "checkpoints").iterdir())) == count


@pytest.mark.parametrize("colour", [False, True])
def test_fitted_classifier_comes_back_from_disk_with_equal_probabilities(fit, typed_images, tmp_path, colour):
    images = typed_images(LABELS, colour=colour)
    fitted = fit(images=images, wrong=WRONG)
    save_types(fitted, tmp_path / "model")
    loaded = load_types(tmp_path / "model")
    windows = np.stack(type_windows(images.pixels(0), (30, 30, 8, 8), np.ones((8, 8), np.bool_), 32))
    probability_NC = run_types(fitted)(windows)
    np.testing.assert_array_equal(run_types(loaded)(windows), probability_NC)
    np.testing.assert_allclose(probability_NC.sum(1), 1, rtol=1e-5)
    assert (loaded.settings, loaded.classes, loaded.colour, loaded.counts) == (
        fitted.settings, fitted.classes, colour, fitted.counts,
    )  # fmt: skip


@pytest.mark.usefixtures("small")
def test_counts_tell_both_kinds_of_clean_windows(fit):
    counts = fit(wrong=WRONG).counts
    assert (counts.defects, counts.false_positives, counts.random_clean) == ({"line": 1, "spot": 1}, 1, 255)
    assert counts.untrained == ()


@pytest.mark.usefixtures("small")
def test_type_without_a_defect_keeps_its_output_and_is_named(fit, typed_images):
    fitted = fit(images=typed_images(["spot", "", ""], types=("line", "pit", "spot")))
    assert fitted.classes == ("line", "pit", "spot", "clean")
    assert fitted.counts.untrained == ("line", "pit")


@pytest.mark.usefixtures("small")
def test_clean_class_without_a_window_is_named(fit, typed_images):
    fitted = fit(images=typed_images(["spot", "line"], size_px=25), train=(0, 1))
    assert fitted.counts.untrained == ("clean",)


def test_training_images_without_a_defect_are_refused(fit):
    with pytest.raises(DataError, match="at least one annotated defect, got none on 2 training images; annotate some"):
        fit(train=(2, 5))


def test_group_on_both_sides_is_refused(fit, typed_images):
    images = typed_images(LABELS, groups=["a", "b", "c", "a", "d", "e"])
    with pytest.raises(DataError, match=r"not both, got \['a'\]; split by group"):
        fit(images=images, train=(0, 1), validation=(3, 4))


def test_type_that_is_called_clean_is_refused(fit, typed_images):
    with pytest.raises(DataError, match="'clean' is the class of what is no defect"):
        fit(images=typed_images(LABELS, types=("clean", "line", "spot")))


@pytest.mark.usefixtures("small")
def test_fit_whose_loss_is_no_number_stops_with_an_error(fit, monkeypatch):
    monkeypatch.setattr(
        "glassline.training.defect_types.functional.cross_entropy", lambda logits, types: logits.sum() * torch.nan
    )
    with pytest.raises(ModelError, match="train_loss must stay finite, got nan in epoch 0; lower"):
        fit()
