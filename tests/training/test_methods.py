"""Any method by its name: fitted on some rows, judged on others."""

import subprocess
import sys

import numpy as np
import pytest

from glassline.data.store import open_store
from glassline.errors import DataError, SettingsError
from glassline.models.settings import COMPARATOR_NAMES, MODEL_NAMES
from glassline.training.methods import check_methods, fit_and_predict, for_few_rows
from glassline.training.settings import TrainingSettings

LABELS = ["dent", "mold"] * 12
TRAIN_N = np.arange(16)
SETTINGS = TrainingSettings.parse({"cnn": {"filters": 2, "pool_px": 4}, "batch_size": 8, "epochs": 2, "threads": 1})


@pytest.fixture
def judge(make_table, tmp_path):
    """Fit a method on 16 patches whose level tells the class, and judge 8: judge("cnn") -> (table, (p_NC, history))."""
    rng, levels = np.random.default_rng(0), {"dent": 60, "mold": 190}
    patches = np.stack([rng.integers(levels[one] - 40, levels[one] + 40, (112, 112)) for one in LABELS])
    table = make_table(LABELS, patches_NHW=patches.astype(np.uint8))

    def run(name, train_N=TRAIN_N, on_epoch=lambda *told: None):
        return fit_and_predict(
            name, table, train_N, np.arange(16, 24), SETTINGS, 0, open_store(tmp_path / "fits"), on_epoch
        )

    return run


@pytest.mark.parametrize("name", ["cnn", "siamese", *COMPARATOR_NAMES])
def test_every_kind_of_method_gives_a_probability_per_row_and_class(judge, name):
    probability_NC, _ = judge(name)
    assert probability_NC.shape == (8, 2)
    np.testing.assert_allclose(probability_NC.sum(1), 1, atol=1e-5)


def test_a_network_tells_its_epochs_and_a_comparator_has_none(judge):
    told = []
    _, history = judge("cnn", on_epoch=lambda epoch, values: told.append(epoch))
    assert told == list(history["epoch"]) == [0, 1]
    _, none = judge("knn", on_epoch=lambda epoch, values: told.append(epoch))
    assert none.empty
    assert told == [0, 1]


@pytest.mark.parametrize("name", ["cnn", "svm"])
def test_every_method_refuses_rows_of_one_class_alike(judge, name):
    message = r"training needs at least two classes, got \['mold'\]; add samples of another class"
    with pytest.raises(DataError, match=message):
        judge(name, train_N=np.arange(1, 16, 2))


def test_known_names_pass_and_others_are_refused():
    check_methods([*MODEL_NAMES, *COMPARATOR_NAMES])
    for names in (["cnn", "resnet"], []):
        with pytest.raises(SettingsError, match=r"models must be among mlp, .*svm, got"):
            check_methods(names)


@pytest.mark.parametrize(("rows", "epochs"), [(3, 300), (17, 100), (8 * 300, 2), (8 * 100 + 1, 3)])
def test_few_rows_are_shown_until_a_network_has_learnt_the_least_steps(rows, epochs):
    assert for_few_rows(SETTINGS, rows).epochs == epochs


def test_names_are_checked_without_loading_torch():
    program = "import sys, glassline.training.methods, glassline.steps.cross_validate; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
