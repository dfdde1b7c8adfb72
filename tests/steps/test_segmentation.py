"""Training, scoring, judging and exporting of captures as steps, on one tiny model."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassline.data.glass_split import read_split
from glassline.data.importers import read_source
from glassline.deploy.bundle import Bundle, load_bundle
from glassline.deploy.segmenter import Segmenter
from glassline.errors import DataError, SettingsError
from glassline.report.scratch_section import SegmentationResult, scratch_sections
from glassline.steps.evaluate_segmentation import evaluate_segmentation
from glassline.steps.export_unet import export_unet
from glassline.steps.judge_glasses import GLASSES, POINT, judge_glasses
from glassline.steps.segment_captures import CLASSICAL, SCORE, SCRATCHES, ZONES, read_score, segment_captures
from glassline.steps.train_unet import SPLIT, train_unet
from glassline.tracking import client
from glassline.training.fitted_segmenter import load_segmenter

TINY = {
    "unet": {"width": 1 / 32}, "patch_px": 64, "epochs": 1, "patches": 8, "batch_size": 4, "learning_rate": 1e-3,
    "threads": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def samples(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a table of 12 zones of as many glasses, 4 of them with a scratch."""
    folder = write_labelled(tmp_path_factory.mktemp("labelled"), glasses=12)
    read_source(folder, "captures").write(folder / "samples.parquet")
    return str(folder / "samples.parquet")


@pytest.fixture(scope="module")
def unet(samples: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a trained network."""
    folder = tmp_path_factory.mktemp("unet")
    train_unet(samples, TINY, 0, str(folder / "store"), str(folder / "model"))
    return folder / "model"


@pytest.fixture(scope="module")
def segments(samples: str, unet: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the folders of two parts."""
    folder = tmp_path_factory.mktemp("segments")
    for part in range(2):
        segment_captures(samples, str(unet), part, 2, {}, {}, str(folder / "store"), str(folder / str(part)))
    return [str(folder / str(part)) for part in range(2)]


@pytest.fixture(scope="module")
def verdicts(segments: list[str], samples: str, unet: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of verdicts."""
    folder = tmp_path_factory.mktemp("verdicts") / "verdicts"
    judge_glasses(segments, samples, str(unet), 0.024, str(folder))
    return folder


def test_train_unet_writes_a_model_and_its_split(unet: Path, samples: str) -> None:
    assert load_segmenter(unet).format.azimuths_deg == (0, 90)
    split = read_split(unet / SPLIT)
    assert {*split.train, *split.validation, *split.test} == set(pd.read_parquet(samples)["group"])


def test_train_unet_is_the_same_again(unet: Path, samples: str, tmp_path: Path) -> None:
    train_unet(samples, TINY, 0, str(tmp_path / "store"), str(tmp_path / "model"))
    for file in ("model.safetensors", "model.json", SPLIT, "history.csv"):
        assert (tmp_path / "model" / file).read_bytes() == (unet / file).read_bytes()


def test_train_unet_refuses_images_that_no_rig_captured(tiles: Path, tmp_path: Path) -> None:
    table = tmp_path / "samples.parquet"
    read_source(tiles, "image-folder", clean_class="plain").write(table)
    with pytest.raises(DataError, match=r"looked for in captures, got images such as .*png"):
        train_unet(str(table), {**TINY, "labels": ["bright"]}, 0, str(tmp_path), str(tmp_path / "model"))


def test_train_unet_refuses_a_class_that_the_table_lacks(samples: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"labels must be among .* got \['crack'\]"):
        train_unet(samples, {**TINY, "labels": ["crack"]}, 0, str(tmp_path), str(tmp_path / "model"))


def test_train_unet_names_a_zone_that_is_smaller_than_a_patch(samples: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"G\d{4}\.zarr/clean-00 must have at least 194 x 194 px .* lower patch_px"):
        train_unet(samples, {**TINY, "patch_px": 192}, 0, str(tmp_path), str(tmp_path / "model"))
    assert not (tmp_path / "model").exists()


def test_segment_captures_scores_each_validation_and_test_zone_once(segments: list[str], unet: Path) -> None:
    zones = pd.concat([pd.read_parquet(Path(part) / ZONES) for part in segments])
    split = read_split(unet / SPLIT)
    sides = {side: set(of["glass"]) for side, of in zones.groupby("side")}
    assert sides == {"validation": set(split.validation), "test": set(split.test)}
    assert not zones["image"].duplicated().any()


def test_segment_captures_keeps_score_maps_that_agree_with_the_peaks(segments: list[str]) -> None:
    for row in pd.read_parquet(Path(segments[0]) / ZONES).itertuples():
        assert read_score(row.maps, SCORE).shape == (80, 80)
        assert read_score(row.maps, CLASSICAL).max() == pytest.approx(row.classical_peak, abs=1 / 255)


def test_segment_captures_scores_nothing_twice(
    samples: str, unet: Path, segments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glassline.steps.segment_captures.score_zone", None)
    store = Path(segments[0]).parent / "store"
    segment_captures(samples, str(unet), 0, 2, {}, {}, str(store), str(tmp_path / "again"))
    for file in (ZONES, SCRATCHES):
        pd.testing.assert_frame_equal(
            pd.read_parquet(tmp_path / "again" / file), pd.read_parquet(Path(segments[0]) / file)
        )


def test_segment_captures_writes_whole_tables_when_a_part_is_left_without_zones(
    samples: str, unet: Path, tmp_path: Path
) -> None:
    segment_captures(samples, str(unet), 99, 100, {}, {}, str(tmp_path / "store"), str(tmp_path / "part"))
    assert pd.read_parquet(tmp_path / "part" / ZONES)["defective"].dtype == bool


def test_segment_captures_refuses_zones_of_another_arrangement_of_lights(
    samples: str, unet: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(unet, tmp_path / "model")) / "model.json"
    told = json.loads(other.read_text())
    other.write_text(json.dumps({**told, "format": {**told["format"], "azimuths_deg": [0, 60]}}))
    with pytest.raises(DataError, match=r"G\d{4}\.zarr/clean-00 must have the light states 0, 60 .* got 0, 90"):
        segment_captures(samples, str(other.parent), 0, 1, {}, {}, str(tmp_path / "store"), str(tmp_path / "part"))


def test_train_unet_refuses_a_saturated_zone(samples: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    white_SHW = np.full((2, 160, 160), 4095, np.uint16)
    monkeypatch.setattr("glassline.vision.labelled_zones.LabelledZones.frames", lambda *more: white_SHW)
    with pytest.raises(DataError, match=r"G\d{4}\.zarr/clean-00 must be dark, .* got 100% in state 0"):
        train_unet(samples, TINY, 0, str(tmp_path), str(tmp_path / "model"))
    assert not (tmp_path / "model").exists()


def test_segment_captures_refuses_a_saturated_zone(
    samples: str, unet: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    white_SHW = np.full((2, 160, 160), 4095, np.uint16)
    monkeypatch.setattr("glassline.vision.labelled_zones.LabelledZones.frames", lambda *more: white_SHW)
    with pytest.raises(DataError, match=r"G\d{4}\.zarr/clean-00 must be dark, .* got 100% in state 0"):
        segment_captures(samples, str(unet), 0, 1, {}, {}, str(tmp_path / "store"), str(tmp_path / "part"))
    assert not (tmp_path / "part").exists()


def test_judge_glasses_chooses_its_threshold_without_the_test_glasses(
    segments: list[str], samples: str, unet: Path, verdicts: Path, tmp_path: Path
) -> None:
    parts = [Path(shutil.copytree(part, tmp_path / Path(part).name)) for part in segments]
    for part in parts:
        zones = pd.read_parquet(part / ZONES)
        zones.loc[zones["side"] == "test", "peak"] = 0.31
        zones.to_parquet(part / ZONES)
    judge_glasses([str(part) for part in parts], samples, str(unet), 0.024, str(tmp_path / "verdicts"))
    one, other = (json.loads((folder / POINT).read_text()) for folder in (verdicts, tmp_path / "verdicts"))
    assert one["chosen"] == other["chosen"]


def test_judge_glasses_rejects_a_glass_for_its_strongest_zone(verdicts: Path) -> None:
    zones, glasses = pd.read_parquet(verdicts / ZONES), pd.read_parquet(verdicts / GLASSES)
    high = json.loads((verdicts / POINT).read_text())["chosen"]["high"]
    peak = zones.groupby("glass")["peak"].max()
    assert glasses["rejected"].tolist() == [bool(peak[glass] >= high) for glass in glasses["glass"]]


def test_judge_glasses_counts_every_test_glass(verdicts: Path, unet: Path) -> None:
    told = json.loads((verdicts / POINT).read_text())["test"]["glass"]
    assert told["defective"] + told["clean"] == len(read_split(unet / SPLIT).test)
    assert told["fn_low"] <= told["fn_rate"] <= told["fn_high"]


def test_judge_glasses_refuses_a_part_that_is_missing(
    segments: list[str], samples: str, unet: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=r"must be scored once, got \d of \d zones|got \d+ scores of \d+ zones"):
        judge_glasses(segments[:1], samples, str(unet), 0.024, str(tmp_path / "verdicts"))


def test_judge_glasses_refuses_a_rate_out_of_range(
    segments: list[str], samples: str, unet: Path, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match=r"max_fn_rate must be in \(0, 1\), got 1"):
        judge_glasses(segments, samples, str(unet), 1.0, str(tmp_path / "verdicts"))


@pytest.fixture(scope="module")
def evaluation(samples: str, unet: Path, verdicts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of an evaluation."""
    folder = tmp_path_factory.mktemp("evaluation") / "evaluation"
    evaluate_segmentation(samples, str(unet), str(verdicts), {}, str(folder))
    return folder


def test_evaluate_segmentation_has_a_row_with_denominators_for_each_method_and_unit(
    evaluation: Path, unet: Path
) -> None:
    rates = SegmentationResult.read(evaluation).rates
    assert set(zip(rates["method"], rates["unit"], strict=True)) == {
        (method, unit) for method in ("network", "classical") for unit in ("glass", "zone")
    }
    assert set(rates["defective"] + rates["clean"]) == {len(read_split(unet / SPLIT).test)}


def test_evaluate_segmentation_shows_the_classical_model_at_no_more_false_alarms(evaluation: Path) -> None:
    rates = SegmentationResult.read(evaluation).rates.set_index(["method", "unit"])["fp_rate"]
    assert rates["classical", "glass"] <= rates["network", "glass"]


def test_evaluate_segmentation_counts_pixels_of_both_methods_at_both_tolerances(evaluation: Path) -> None:
    pixels = SegmentationResult.read(evaluation).pixels.set_index(["method", "tolerance_px"])
    assert len(pixels) == 4
    assert (pixels.xs(2, level=1)["recall"] >= pixels.xs(0, level=1)["recall"]).all()


def test_evaluate_segmentation_draws_curves_and_zones(evaluation: Path) -> None:
    names = {path.stem for path in evaluation.glob("*.png")}
    assert {"curves", "pixels", "trade_off"} < names
    assert any(name.startswith("overlay_") for name in names)
    assert len(scratch_sections(evaluation)[0].figures) == len(names)


@pytest.fixture(scope="module")
def bundle(samples: str, unet: Path, verdicts: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return an exported bundle."""
    folder = tmp_path_factory.mktemp("bundle") / "bundle"
    export_unet(samples, str(unet), str(verdicts), {}, {}, "glassline-P1-unet", str(folder))
    return load_bundle(folder / "bundle.zip")


def test_export_unet_hands_out_the_chosen_threshold(bundle: Bundle, verdicts: Path) -> None:
    assert Segmenter(bundle).find.high == json.loads((verdicts / POINT).read_text())["chosen"]["high"]


def test_export_unet_agrees_with_torch_on_validation_patches(bundle: Bundle) -> None:
    parity = bundle.manifest.parity
    assert parity["largest_difference"] <= parity["tolerance"]


def test_export_unet_registers_a_challenger_and_no_champion(bundle: Bundle) -> None:
    assert set(client().get_registered_model("glassline-P1-unet").aliases) == {"challenger"}


def test_export_unet_tells_the_errors_on_test_glasses(bundle: Bundle, unet: Path) -> None:
    metrics = bundle.manifest.metrics
    assert metrics["glass_defective"] + metrics["glass_clean"] == len(read_split(unet / SPLIT).test)
