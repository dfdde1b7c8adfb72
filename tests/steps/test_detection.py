"""The steps of the severity detection, from labels to a bundle, on one tiny model."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline.data.glass_split import read_split
from glassline.data.importers import read_source
from glassline.deploy.bundle import load_bundle
from glassline.deploy.detector import Detector
from glassline.errors import DataError
from glassline.report.detection_result import DetectionResult
from glassline.steps.detect_defects import DEFECTS, IMAGES, detect_defects, read_severity
from glassline.steps.evaluate_detection import PAGE, evaluate_detection
from glassline.steps.export_detector import export_detector
from glassline.steps.label_severity import DEFECTS as LABELLED
from glassline.steps.label_severity import SPLIT, label_severity
from glassline.steps.train_defect_types import train_defect_types
from glassline.steps.train_regression import read_threshold, train_regression
from glassline.tracking import client

TINY = {"patch_px": 64, "epochs": 4, "patches": 32, "batch_size": 4, "learning_rate": 1e-2, "threads": 1}
TYPES = {
    "classifier": {"network": "resnet18", "window_px": 32}, "epochs": 1, "windows": 8, "batch_size": 4, "threads": 1,
}  # fmt: skip


class Run:
    """Every step's output."""

    def __init__(self, samples: str, folder: Path) -> None:
        self.samples, self.folder = samples, folder
        self.labels, self.model, self.types, self.evaluation, self.bundle = (
            str(folder / name) for name in ("labels", "model", "types", "evaluation", "bundle")
        )
        self.store = str(folder / "store")
        self.found = [str(folder / f"found-{part}") for part in range(2)]
        self.hash = label_severity(samples, "hash", TINY, 0, self.labels)
        train_regression(samples, self.labels, self.hash, TINY, 0, self.store, self.model)
        train_defect_types(samples, self.labels, self.model, TYPES, {}, 0, self.store, self.types)
        for part, found in enumerate(self.found):
            detect_defects(samples, self.labels, self.model, self.types, part, 2, {}, self.store, found)
        evaluate_detection(samples, self.labels, self.model, self.found, {}, self.evaluation)
        export_detector(
            samples, self.labels, self.model, self.types, self.evaluation, {}, "glassline-t-severity", self.bundle
        )


@pytest.fixture(scope="module")
def samples(write_marked_images: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = write_marked_images(tmp_path_factory.mktemp("set"), images=24)
    read_source(folder, "mask-folder").write(folder / "samples.parquet")
    return str(folder / "samples.parquet")


@pytest.fixture(scope="module")
def run(samples: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(samples, tmp_path_factory.mktemp("run"))


def test_label_severity_tells_every_defect(run: Run) -> None:
    defects = pd.read_parquet(Path(run.labels) / LABELLED)
    assert len(defects) == 24
    assert set(defects["type"]) == {"dent"}
    # A dent of 70 levels, give or take noise: d0 + d1 of up to twice that, of cells at its rim less.
    assert defects["severity_max"].between(2.7, 3.7).all()


def test_label_severity_returns_the_hash_of_what_it_wrote(run: Run, samples: str, tmp_path: Path) -> None:
    assert label_severity(samples, "hash", TINY, 0, str(tmp_path / "again")) == run.hash
    assert label_severity(samples, "hash", TINY, 1, str(tmp_path / "other")) != run.hash


def test_label_severity_leaves_out_what_tells_no_severity_and_says_so(
    write_marked_images: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_marked_images(tmp_path / "set", images=12)
    table = read_source(folder, "mask-folder")
    cv2.imwrite(str(folder / "dent" / "3.png"), np.zeros((96, 96), np.uint8))
    table.rows.loc[table.rows["image"] == "dent/5.jpg", "mask"] = ""
    table.write(tmp_path / "samples.parquet")
    label_severity(str(tmp_path / "samples.parquet"), "", TINY, 0, str(tmp_path / "labels"))
    split = read_split(tmp_path / "labels" / SPLIT)
    kept = {*split.train, *split.validation, *split.test}
    assert len(kept) == 10
    assert not kept & {"dent/3.jpg", "dent/5.jpg"}
    assert "2 of 12 images are left out of the severity detection" in capsys.readouterr().out


def test_label_severity_refuses_a_table_of_empty_masks(
    write_marked_images: Callable[..., Path], tmp_path: Path
) -> None:
    folder = write_marked_images(tmp_path / "set", images=12)
    read_source(folder, "mask-folder").write(tmp_path / "samples.parquet")
    for path in (folder / "dent").glob("*.png"):
        cv2.imwrite(str(path), np.zeros((96, 96), np.uint8))
    with pytest.raises(DataError, match=r"dent/1\.jpg: a mask must mark a defect"):
        label_severity(str(tmp_path / "samples.parquet"), "", TINY, 0, str(tmp_path / "labels"))
    assert not (tmp_path / "labels").exists()


def test_label_severity_notes_defects_that_do_not_stand_out(
    write_marked_images: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_marked_images(tmp_path / "set", images=12)
    for path in folder.rglob("*.jpg"):
        cv2.imwrite(str(path), np.full((96, 96), 90 + int(path.stem), np.uint8))
    read_source(folder, "mask-folder").write(tmp_path / "samples.parquet")
    label_severity(str(tmp_path / "samples.parquet"), "", TINY, 0, str(tmp_path / "labels"))
    assert "12 of 12 annotated defects do not stand out at all" in capsys.readouterr().out


def test_threshold_is_that_of_the_highest_mean_iou(run: Run) -> None:
    curve = pd.read_parquet(Path(run.model) / "threshold.parquet")
    best = curve.loc[curve["mean_iou"].idxmax()]
    assert read_threshold(run.model) == best["threshold"]
    assert best["mean_iou"] > 0.5


def test_detect_defects_searches_every_test_image_once(run: Run) -> None:
    images = pd.concat([pd.read_parquet(Path(found) / IMAGES) for found in run.found])
    split = read_split(Path(run.labels) / SPLIT)
    assert sorted(images["image"]) == sorted(split.test)  # of a mask folder every image is its own group
    assert read_severity(images["map"].iloc[0]).shape == (24, 24)


def test_detect_defects_does_not_search_again_what_the_store_knows(run: Run, tmp_path: Path) -> None:
    maps = sorted(Path(run.store).rglob("severity.npy"))
    written = [path.stat().st_mtime_ns for path in maps]
    detect_defects(run.samples, run.labels, run.model, run.types, 0, 1, {}, run.store, str(tmp_path / "all"))
    assert [path.stat().st_mtime_ns for path in maps] == written
    rows = pd.concat([pd.read_parquet(Path(found) / DEFECTS) for found in run.found])
    assert len(pd.read_parquet(tmp_path / "all" / DEFECTS)) == len(rows)


def test_evaluate_detection_measures_with_and_without_the_classifier(run: Run) -> None:
    result = DetectionResult.read(run.evaluation)
    assert len(result.methods) == 2
    # What the classifier drops can only lower the recall.
    assert result.methods["recall"].iloc[0] <= result.methods["recall"].iloc[1]
    assert result.methods["mean_iou"].iloc[1] > 0.4
    assert list(result.pixels["tolerance_px"]) == [0, 2, 5]
    assert "Severity of defects" in (Path(run.evaluation) / PAGE).read_text()


def test_evaluate_detection_refuses_a_missing_part(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="every test image must be searched once"):
        evaluate_detection(run.samples, run.labels, run.model, run.found[:1], {}, str(tmp_path / "evaluation"))


def test_evaluate_detection_refuses_other_settings_than_it_was_detected_with(run: Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="with the settings of detect_defects"):
        evaluate_detection(
            run.samples, run.labels, run.model, run.found, {"least_px": 5000}, str(tmp_path / "evaluation")
        )


def test_export_detector_leaves_a_bundle_that_finds_the_same(run: Run) -> None:
    bundle = load_bundle(Path(run.bundle) / "bundle.zip")
    detector = Detector(bundle)
    assert detector.find.threshold == read_threshold(run.model)
    assert bundle.manifest.classes == ("dent", "clean")
    images = pd.read_parquet(Path(run.found[0]) / IMAGES)
    root = Path(run.samples).parent
    severity_RC = detector.score(detector.open(root / images["image"].iloc[0]))
    np.testing.assert_allclose(severity_RC, read_severity(images["map"].iloc[0]), atol=2e-3)


def test_steps_leave_pictures_and_tables_in_mlflow(run: Run) -> None:
    experiment = client().get_experiment_by_name("glassline")
    assert experiment is not None
    names = {
        one.path
        for found in client().search_runs([experiment.experiment_id])
        for one in client().list_artifacts(found.info.run_id)
    }
    assert {"detection.html", "figures"} <= names
