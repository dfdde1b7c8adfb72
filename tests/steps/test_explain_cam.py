"""Where candidates look: one that does not look at the patch has nothing to explain."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassline.data.store import open_store
from glassline.steps.explain_cam import ELSEWHERE, EXPLAINED, explain_cam
from glassline.training.fitted import save_fitted
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings


def test_model_that_does_not_look_at_the_patch_has_nothing_to_explain(
    make_table: Callable[..., Any], tmp_path: Path
) -> None:
    table = make_table(["dent", "mold"] * 12, fold=[number // 2 % 3 for number in range(24)], augmentation="")
    table.write(tmp_path / "split.parquet")
    rows_N = np.flatnonzero(table.rows["fold"] == 2)
    settings, store = TrainingSettings(epochs=1, threads=1), open_store(tmp_path / "store")
    fitted = fit_model("metadata", table, rows_N, rows_N, settings, 0, store, lambda epoch, values: None)
    save_fitted(fitted, tmp_path / "model")
    explain_cam(str(tmp_path / "split.parquet"), str(tmp_path / "model"), "metadata-scratch", 0, str(tmp_path / "e"))
    elsewhere = pd.read_parquet(tmp_path / "e" / ELSEWHERE)
    assert len(elsewhere) == len(pd.read_parquet(tmp_path / "e" / EXPLAINED)) == 0
    assert {"id", "energy_share"} <= set(elsewhere.columns)
