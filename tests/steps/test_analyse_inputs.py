"""Inputs before training: what the step draws, writes and tells MLflow."""

import numpy as np
import pandas as pd
import pytest

from glassline.errors import DataError
from glassline.report.input_variation import input_sections
from glassline.steps.analyse_inputs import analyse_inputs
from glassline.tracking import client


@pytest.fixture
def write(make_table, tmp_path):
    """Write stripes whose direction tells the class: write(["dent", …]) -> path."""

    def table(labels, **columns):
        rng, (y_HW, x_HW) = np.random.default_rng(0), np.mgrid[:112, :112]
        waves = {"dent": y_HW, "mold": x_HW}
        patches = [127 + 80 * np.sin(waves[one] / 3) + rng.normal(0, 20, (112, 112)) for one in labels]
        made = make_table(labels, patches_NHW=np.stack(patches).clip(0, 255).astype(np.uint8), **columns)
        made.write(tmp_path / "augmented.parquet")
        return str(tmp_path / "augmented.parquet")

    return table


def test_step_leaves_tables_and_figures_and_tells_mlflow(write, tmp_path):
    # A copy lies in no pair, however near it is to its original.
    path = write(["dent", "mold"] * 5, augmentation=[""] * 8 + ["mirror"] * 2)
    analyse_inputs(path, 0, str(tmp_path / "analysis"))
    classes, pairs = (pd.read_parquet(tmp_path / "analysis" / f"{name}.parquet") for name in ("classes", "pairs"))
    assert classes["samples"].to_list() == [4, 4]
    assert classes["confusable_share"].to_list() == [0, 0]
    assert not {"p8", "p9"} & {*pairs["id"], *pairs["other_id"]}
    assert len(input_sections(tmp_path / "analysis")[0].figures) == 2
    told = client()  # MLflow's own may look where another test left it
    (run,) = told.search_runs([one.experiment_id for one in told.search_experiments()])
    assert run.data.metrics["analysed"] == 8
    assert run.data.metrics["confusable_share"] == 0
    names = {item.path for folder in ("figures", "tables") for item in told.list_artifacts(run.info.run_id, folder)}
    assert names == {"figures/variation.png", "figures/pairs.png", "tables/classes.json", "tables/pairs.json"}


def test_step_draws_at_most_two_hundred_of_a_class(write, tmp_path):
    analyse_inputs(write(["dent"] * 210 + ["mold"] * 3), 0, str(tmp_path / "analysis"))
    assert pd.read_parquet(tmp_path / "analysis" / "classes.parquet")["samples"].to_list() == [200, 3]


def test_step_refuses_one_class_and_leaves_nothing(write, tmp_path):
    with pytest.raises(DataError, match=r"got samples of \['dent'\]"):
        analyse_inputs(write(["dent"] * 3), 0, str(tmp_path / "analysis"))
    assert not (tmp_path / "analysis").exists()
