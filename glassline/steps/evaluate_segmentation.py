"""Measure network and classical model on the test glasses, and show where they hit, miss and raise false alarms."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.analysis.operating_point import ErrorRates, OperatingPoint, error_rates, rates_at_fp, trade_off
from glassline.analysis.segmentation import BINS, PixelCounts, in_blocks
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.report.scratch_section import SegmentationResult
from glassline.steps.judge_glasses import GLASSES, POINT
from glassline.steps.segment_captures import CLASSICAL, SCORE, SCRATCHES, ZONES, read_score
from glassline.steps.train_unet import captured_zones
from glassline.tracking import StepRun, step_run
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.light_states import Real
from glassline.vision.scratches import FindSettings, Scratch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from glassline.data.captures.zone_format import ZoneFormat

#: Tolerances of pixel metrics.
_TOLERANCES_PX = (0, 2)
_NETWORK, _BASELINE = "network", "classical"
_PEAKS = {_NETWORK: "peak", _BASELINE: "classical_peak"}
_MAPS = {_NETWORK: SCORE, _BASELINE: CLASSICAL}
# Overlays of each outcome.
_SHOWN = 2


def evaluate_segmentation(
    samples_path: str, model_path: str, verdicts_path: str, find: Mapping[str, Any], evaluation_path: str
) -> None:
    """Write errors per glass and zone, pixel metrics, and figures of both methods.

    The classical model is shown at the network's rate of false alarms.

    Args:
        samples_path: Table of images.
        model_path: Folder written by `train_unet`.
        verdicts_path: Folder written by `judge_glasses`.
        find: Fields of `FindSettings`; pixels count from its low threshold.
        evaluation_path: Folder for what the report reads; see `glassline.report.scratch_section`.

    Raises:
        DataError: A zone is damaged; names it.
    """
    from glassline.report.figures import curves_figure, save_figure
    from glassline.report.segmentation import pr_figure, trade_off_figure
    from glassline.training.fitted_segmenter import load_segmenter

    with step_run("evaluate_segmentation", {"find": dict(find)}) as run:
        fitted, low = load_segmenter(model_path), FindSettings.parse(find).low
        labelled = captured_zones(read_samples(samples_path, "images"), fitted.settings.labels)
        verdicts = Path(verdicts_path)
        told = json.loads((verdicts / POINT).read_text())
        point = OperatingPoint(**{**told["chosen"], "rates": ErrorRates(**told["chosen"]["rates"])})
        glasses, zones = (_of_test(pd.read_parquet(verdicts / name)) for name in (GLASSES, ZONES))
        rates = {unit: _rates(rows, point.high) for unit, rows in (("glass", glasses), ("zone", zones))}
        curves, pixels = _pixels(run, labelled, zones, low, fitted.settings.unet.block_px)
        figures = {"pixels": pr_figure(curves), "trade_off": trade_off_figure(_curves(glasses), rates["glass"])}
        if len(fitted.history):
            figures["curves"] = curves_figure(fitted.history)
        scratches = pd.read_parquet(verdicts / SCRATCHES)
        figures |= dict(_overlays(labelled, fitted.format, zones, scratches, point.high, low))
        rows = pd.DataFrame(
            [{"method": name, "unit": unit, **asdict(one)} for unit, by in rates.items() for name, one in by.items()]
        )
        parameters = sum(one.numel() for one in fitted.model.parameters())
        with written_whole(evaluation_path) as beside:
            beside.mkdir(parents=True)
            SegmentationResult(rows, pixels, glasses, point, parameters).write(beside)
            for name, figure in figures.items():
                save_figure(figure, beside / f"{name}.png")
                run.figure(figure, name)
        run.table(rows, "rates")
        run.table(pixels, "pixels")
        run.metrics(_flat(rows, ["method", "unit"], ["fn_rate", "fp_rate", "fn", "defective", "fp", "clean"]))
        run.metrics(_flat(pixels, ["method", "tolerance_px"], ["precision", "recall", "f1", "mean_iou"]))


def _flat(rows: pd.DataFrame, keys: list[str], columns: list[str]) -> dict[str, float]:
    """Return figures as metrics by name; what is not defined is left out."""
    return {
        "_".join([*(str(row[key]) for key in keys), column]): row[column]
        for row in rows.to_dict("records")
        for column in columns
        if not np.isnan(row[column])
    }


def _of_test(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["side"] == "test"].reset_index(drop=True)


def _rates(rows: pd.DataFrame, high: float) -> dict[str, ErrorRates]:
    """Return the network's errors at the chosen threshold, and the classical model's at no more false alarms."""
    defective_N = rows["defective"].to_numpy()
    network = error_rates(rows[_PEAKS[_NETWORK]].to_numpy(), defective_N, high)
    if not network.clean:
        return {_NETWORK: network}
    classical = rates_at_fp(rows[_PEAKS[_BASELINE]].to_numpy(), defective_N, network.fp_rate)
    return {_NETWORK: network, _BASELINE: classical}


def _curves(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    return {name: trade_off(rows[peak].to_numpy(), rows["defective"].to_numpy()) for name, peak in _PEAKS.items()}


def _pixels(
    run: StepRun, labelled: LabelledZones, zones: pd.DataFrame, low: float, block_px: int
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return each method's curve without tolerance, and its figures at every tolerance, in blocks of the score map."""
    counts = {(name, px): PixelCounts(px // block_px) for name in _MAPS for px in _TOLERANCES_PX}
    for done, row in enumerate(zones.itertuples(), 1):
        truth_hw = in_blocks(labelled.mask(labelled.images.index(row.image)), block_px)
        for name, file in _MAPS.items():
            score_hw = _in_shape(read_score(str(row.maps), file), truth_hw.shape, block_px)
            for px in _TOLERANCES_PX:
                counts[name, px].add(score_hw, truth_hw)
        run.progress(done, len(zones), "zones measured")
    # What the classical model takes for no scratch has the score 0 already.
    threshold = {_NETWORK: low, _BASELINE: 1 / BINS}
    rows = [
        {"method": name, "tolerance_px": px, **asdict(one.at(threshold[name]))} for (name, px), one in counts.items()
    ]
    return {name: counts[name, 0].curve() for name in _MAPS}, pd.DataFrame(rows)


def _in_shape(score: Real, shape_hw: tuple[int, ...], block_px: int) -> Real:
    """Return a map of the zone's size (H, W) as the highest of each block; one of the score map's size as it is."""
    if score.shape == shape_hw:
        return score
    height, width = score.shape
    filled_HW = np.pad(score, ((0, -height % block_px), (0, -width % block_px)))
    return np.asarray(filled_HW.reshape(shape_hw[0], block_px, shape_hw[1], block_px).max(axis=(1, 3)))


def _overlays(
    labelled: LabelledZones, of: "ZoneFormat", zones: pd.DataFrame, scratches: pd.DataFrame, high: float, low: float
) -> "Iterator[tuple[str, Figure]]":
    """Draw zones with a miss, with a false alarm and with a hit, two of each at most."""
    from glassline.report.segmentation import hits_overlay

    outcomes = {
        "miss": zones["defective"] & ~zones["rejected"],
        "false alarm": ~zones["defective"] & zones["rejected"],
        "hit": zones["defective"] & zones["rejected"],
    }
    for outcome, chosen in outcomes.items():
        for place, row in enumerate(zones[chosen].sort_values("peak", ascending=False).head(_SHOWN).itertuples(), 1):
            number = labelled.images.index(row.image)
            found = [_scratch(one) for one in scratches[scratches["image"] == row.image].to_dict("records")]
            figure = hits_overlay(
                labelled.frames(number, of).max(axis=0), labelled.mask(number), found, high,
                f"{row.image}: {outcome}, peak {row.peak:.2f}, rejected from {high:.2f}",
                read_score(str(row.maps), SCORE), low,
            )  # fmt: skip
            yield f"overlay_{outcome.replace(' ', '_')}_{place}", figure


def _scratch(row: Mapping[Any, Any]) -> Scratch:
    x, y, width, height = (int(value) for value in row["bbox_px"])
    return Scratch(
        (x, y, width, height), row["peak"], row["length_um"], row["width_um"], row["area_um2"], row["contrast_sigma"],
        row["direction_deg"],
    )  # fmt: skip
