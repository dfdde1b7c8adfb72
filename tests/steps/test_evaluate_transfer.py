"""The step that compares networks and writes the page."""

import json
from pathlib import Path

import pandas as pd
import pytest

from glassline.data.importers import read_source
from glassline.report.transfer_page import ARMS
from glassline.steps.evaluate_transfer import NETWORKS, PAGE, evaluate_transfer
from glassline.steps.localise_defects import METRICS
from glassline.steps.select_sources import REASONS
from glassline.steps.train_transfer import EVALUATION
from glassline.vision.heat_store import HEAT


@pytest.fixture
def compared(write_marked_images, tmp_path: Path):
    """Write what the other steps leave and run the step: compared(tpr=None) -> folder of the comparison."""

    def run(boxes: dict[str, object], **changes: object) -> Path:
        folder = write_marked_images(tmp_path / "set", images=2)
        read_source(folder, "mask-folder", product="T").write(tmp_path / "samples.parquet")
        folders = [tmp_path / name for name in ("affinity", "selection", "located", *ARMS)]
        for one in folders:
            one.mkdir()
        for arm in ARMS:
            told = {
                "arm": arm, "network": "inception_v3", "weights": "random", "sources": ["A/dent"], "samples": 50,
                "target_samples": 120, "threshold": 0.4, "tpr": 0.75, "tpr_low": 0.5, "tpr_high": 0.9, "defective": 8,
                "tnr": 1.0, "tnr_low": 0.7, "tnr_high": 1.0, "clean": 9, "average_precision": 0.8, **changes,
            }  # fmt: skip
            (tmp_path / arm / EVALUATION).write_text(json.dumps(told))
        reasons = pd.DataFrame({"source": ["A/dent"], "samples": [50], "chosen": [True], "why": ["it is the best"]})
        reasons.to_parquet(tmp_path / "selection" / REASONS)
        (tmp_path / "located" / METRICS).write_text(json.dumps(boxes))
        out = tmp_path / "comparison"
        affinity, selection, located, *evaluations = map(str, folders)
        evaluate_transfer(str(tmp_path / "samples.parquet"), affinity, selection, evaluations, located, str(out))
        return out

    return run


def test_networks_stand_beside_each_other_and_on_the_page(compared):
    metrics = {
        "defects": 5, "hit": 0.8, "hit_by_centre": 0.6, "hit_by_iou": 0.4, "precision": 0.5,
        "false_per_clean_image": 0.25, "threshold": 0.3,
    }  # fmt: skip
    out = compared({HEAT: metrics})
    told = json.loads((out / NETWORKS).read_text())
    assert [one["arm"] for one in told] == [*ARMS]
    assert (out / "arms.png").stat().st_size > 1000
    page = (out / PAGE).read_text()
    assert "Transfer to T, cycle" in page
    assert "Where the defects are" in page


def test_folds_without_a_defective_image_and_nothing_localised_are_a_page_too(compared):
    out = compared({}, tpr=None, tpr_low=0.0, tpr_high=1.0, defective=0, average_precision=None)
    assert "Where the defects are" not in (out / PAGE).read_text()
