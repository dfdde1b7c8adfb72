"""From images to windows, a classifier of them, and boxes around what is hot."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassline.data.importers import read_source
from glassline.data.samples import read_samples
from glassline.data.splits import assign_folds
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.models.registry import build_model
from glassline.models.settings import PATCH_PX
from glassline.steps.cut_patches import cut_patches
from glassline.steps.localise_defects import METRICS, localise_defects
from glassline.tracking import client
from glassline.training.fitted import Fitted, save_fitted
from glassline.training.loop import fit_model
from glassline.training.settings import TrainingSettings
from glassline.vision.heat_store import CAM, HEAT

CUT = {"window_px": 24, "step_px": 12, "clean_per_image": 8}
LOCALISE = {"step_px": 8}
TRAINING = {"cnn": {"filters": 4, "pool_px": 4}, "epochs": 6, "patience": 0, "threads": 1, "learning_rate": 3e-3}


class Run:
    """Every step's output."""

    def __init__(self, samples: str, folder: Path) -> None:
        self.samples, self.store, self.folder = samples, str(folder / "store"), folder
        self.patches, self.split, self.model, self.located = (
            str(folder / name) for name in ("patches.parquet", "split.parquet", "model", "located")
        )
        self.hash = cut_patches(samples, "hash", CUT, self.store, self.patches)
        table = assign_folds(read_samples(self.patches, "patches"), 4, 0)
        table.write(self.split)
        fold_N = table.rows["fold"].to_numpy()
        fitted = fit_model(
            "cnn", table, np.flatnonzero(fold_N > 1), np.flatnonzero(fold_N == 1), TrainingSettings.parse(TRAINING), 0,
            open_store(folder / "checkpoints"), lambda epoch, values: None,
        )  # fmt: skip
        save_fitted(fitted, self.model)
        self.localise(self.located)

    def localise(self, located: str, split: str = "", model: str = "") -> None:
        localise_defects(
            self.samples, split or self.split, model or self.model, CUT, LOCALISE, "hash", self.store, located
        )


@pytest.fixture(scope="module")
def samples(write_marked_images: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_marked_images(tmp_path_factory.mktemp("set"), images=24)
    read_source(folder, "mask-folder").write(folder / "samples.parquet")
    return str(folder / "samples.parquet")


@pytest.fixture(scope="module")
def run(samples: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(samples, tmp_path_factory.mktemp("run"))


def _logged(step: str) -> tuple[dict[str, float], str, set[str]]:
    """Return metrics, notes and figures of the last run of a step."""
    experiment = client().get_experiment_by_name("glassline")
    assert experiment is not None
    found = next(
        one for one in client().search_runs([experiment.experiment_id]) if one.data.tags["glassline.step"] == step
    )
    figures = {one.path for one in client().list_artifacts(found.info.run_id, "figures")}
    return found.data.metrics, found.data.tags.get("glassline.notes", ""), figures


def test_cut_patches_returns_the_hash_of_what_it_wrote(run: Run) -> None:
    table = read_samples(run.patches, "patches")
    assert table.content_hash() == run.hash
    assert (table.classes, table.clean_class) == (("defect", "clean"), "clean")


def test_cut_patches_logs_counts_and_windows(run: Run, tmp_path: Path) -> None:
    cut_patches(run.samples, "hash", CUT, run.store, str(tmp_path / "again.parquet"))
    metrics, notes, figures = _logged("cut_patches")
    rows = read_samples(run.patches, "patches").rows
    assert metrics["patches_dent"] == (rows["label"] == "defect").sum()
    assert (metrics["images"], metrics["defects"], notes) == (24, 24, "")
    assert figures == {f"figures/windows_{name}.png" for name in
                       ("clean_clean_0", "clean_clean_10", "dent_dent_1", "dent_dent_11")}  # fmt: skip


def test_cut_patches_notes_what_it_leaves_out(samples: str, tmp_path: Path) -> None:
    table = read_samples(samples, "images")
    rows = table.rows.assign(mask=table.rows["mask"].where(table.rows["image"] != "dent/1.jpg", ""))
    table.with_rows(rows).write(tmp_path / "samples.parquet")
    cut_patches(str(tmp_path / "samples.parquet"), "", CUT, str(tmp_path / "store"), str(tmp_path / "patches.parquet"))
    assert _logged("cut_patches")[1] == (
        "1 of 24 images give no patch: dent/1.jpg (nobody says where its defect is)"
    )  # fmt: skip


def test_boxes_lie_on_the_dents_of_the_test_images(run: Run) -> None:
    told = json.loads((Path(run.located) / METRICS).read_text())
    assert told[HEAT]["defects"] == 6
    assert told[HEAT]["hit"] >= 5 / 6
    assert told[HEAT]["tpr"] == 1
    assert told[HEAT]["false_per_clean_image"] <= 0.5
    assert 0 < told[HEAT]["threshold"] < 1
    assert told[CAM]["touched"] > 0


def test_boxes_are_written_three_times(run: Run) -> None:
    for name in ("boxes", "cam_boxes"):
        rows = pd.read_parquet(Path(run.located) / f"{name}.parquet")
        assert list(rows.columns) == ["image", "x", "y", "width", "height", "probability"]
        pd.testing.assert_frame_equal(pd.read_csv(Path(run.located) / f"{name}.csv"), rows)
        assert len(json.loads((Path(run.located) / f"{name}.json").read_text())) == len(rows) > 0


def test_only_test_images_have_boxes(run: Run) -> None:
    split = read_samples(run.split, "patches").rows
    boxes = pd.read_parquet(Path(run.located) / "boxes.parquet")
    assert set(boxes["image"]) <= set(split["image"][split["fold"] == 0])


def test_a_second_try_says_the_same_and_classifies_nothing_again(run: Run, tmp_path: Path) -> None:
    kept = sorted((Path(run.store) / "heat").glob("*.npy"))
    written = [path.stat().st_mtime_ns for path in kept]
    run.localise(str(tmp_path / "again"))
    assert len(kept) == 2 * 12
    assert [path.stat().st_mtime_ns for path in kept] == written
    for name in ("boxes.csv", METRICS):
        assert (tmp_path / "again" / name).read_bytes() == (Path(run.located) / name).read_bytes()
    metrics, _, figures = _logged("localise_defects")
    told = json.loads((Path(run.located) / METRICS).read_text())
    assert (metrics["hit"], metrics["cam_hit"]) == (told[HEAT]["hit"], told[CAM]["hit"])
    pictures = {path.name for path in Path(run.located).glob("heat_*.png")}
    assert len(pictures) == 5  # three defective images, two clean ones
    assert figures == {f"figures/{name}" for name in pictures}


def test_a_network_without_convolution_is_localised_by_probability_alone(run: Run, tmp_path: Path) -> None:
    settings = TrainingSettings()
    model = build_model("mlp", PATCH_PX, 2, 2, settings).eval()
    fitted = Fitted("mlp", model, ("clean", "dent"), "clean", ("x_mm", "y_mm"), settings, pd.DataFrame())
    save_fitted(fitted, tmp_path / "mlp")
    run.localise(str(tmp_path / "located"), model=str(tmp_path / "mlp"))
    assert list(json.loads((tmp_path / "located" / METRICS).read_text())) == [HEAT]
    assert len(pd.read_csv(tmp_path / "located" / "cam_boxes.csv")) == 0
    assert "mlp has none" in _logged("localise_defects")[1]


def test_nothing_is_localised_where_no_image_tells_a_place(run: Run, tmp_path: Path) -> None:
    table = read_samples(run.samples, "images")
    table.with_rows(table.rows.assign(mask="")).write(tmp_path / "samples.parquet")
    localise_defects(
        str(tmp_path / "samples.parquet"), run.split, run.model, CUT, LOCALISE, "", run.store, str(tmp_path / "located")
    )
    assert json.loads((tmp_path / "located" / METRICS).read_text()) == {}
    assert len(pd.read_parquet(tmp_path / "located" / "boxes.parquet")) == 0
    assert "nothing is localised" in _logged("localise_defects")[1]


def test_a_split_of_other_images_is_refused(run: Run, tmp_path: Path) -> None:
    split = read_samples(run.split, "patches")
    other = split.with_rows(split.rows.assign(image="other-" + split.rows["image"]))
    other.write(tmp_path / "split.parquet")
    with pytest.raises(DataError, match="fold 1 must hold images of the table, got none"):
        run.localise(str(tmp_path / "located"), str(tmp_path / "split.parquet"))
