"""Choose the threshold of a verdict on validation glasses, and judge the test glasses by it."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from glassline.analysis.operating_point import ErrorRates, OperatingPoint, choose_threshold, error_rates
from glassline.data.glass_split import read_split
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.errors import DataError, SettingsError
from glassline.steps.segment_captures import SCRATCHES, ZONES
from glassline.steps.train_unet import SPLIT
from glassline.tracking import parent_tags, step_run

#: Files of the verdicts folder, beside the pooled ones of `segment_captures`.
GLASSES, POINT = "glasses.parquet", "operating_point.json"


def judge_glasses(
    segments: Sequence[str], samples_path: str, model_path: str, max_fn_rate: float, verdicts_path: str
) -> None:
    """Judge zones and glasses: a glass is defective when the strongest scratch on it reaches the threshold.

    The threshold is the highest one at which at most `max_fn_rate` of the defective validation glasses pass for good.
    Test glasses have no part in it.

    Args:
        segments: Folders written by `segment_captures`, one per part.
        samples_path: Table of images.
        model_path: Folder written by `train_unet`.
        max_fn_rate: Largest false-negative rate of glasses, in (0, 1).
        verdicts_path: Folder for `glasses.parquet`, `zones.parquet` (one row each: side of the split, defective, peak,
            rejected), `scratches.parquet` and `operating_point.json`.

    Raises:
        SettingsError: The rate is out of range.
        DataError: A zone of a validation or test glass was scored twice or not at all.
    """
    if not 0 < max_fn_rate < 1:
        raise SettingsError(f"max_fn_rate must be in (0, 1), got {max_fn_rate}; 0.024 is the paper's")
    with step_run("judge_glasses", {"max_fn_rate": max_fn_rate}) as run:
        zones = pooled_zones(segments, samples_path, model_path)
        peaks = ["peak", "classical_peak"]
        glasses = zones.groupby(["glass", "side"], as_index=False)[["defective", *peaks]].max()
        chosen = glasses[glasses["side"] == "validation"]
        point = choose_threshold(chosen["peak"].to_numpy(), chosen["defective"].to_numpy(), max_fn_rate)
        zones["rejected"], glasses["rejected"] = (one["peak"] >= point.high for one in (zones, glasses))
        scratches = pd.concat([pd.read_parquet(Path(folder) / SCRATCHES) for folder in segments], ignore_index=True)
        test = {name: one[one["side"] == "test"] for name, one in (("glass", glasses), ("zone", zones))}
        rates = {
            name: error_rates(one["peak"].to_numpy(), one["defective"].to_numpy(), point.high)
            for name, one in test.items()
        }
        with written_whole(verdicts_path) as beside:
            beside.mkdir(parents=True)
            glasses.to_parquet(beside / GLASSES)
            zones.to_parquet(beside / ZONES)
            scratches.assign(rejected=scratches["peak"] >= point.high).to_parquet(beside / SCRATCHES)
            told = {"chosen": asdict(point), "test": {name: asdict(one) for name, one in rates.items()}}
            (beside / POINT).write_text(json.dumps(told, indent=2))
        run.table(test["glass"], "glasses")
        run.table(test["zone"], "zones")
        run.metrics({"fn_rate": rates["glass"].fn_rate, "fp_rate": rates["glass"].fp_rate})
        run.metrics({"high": point.high, **_flat("validation_glass", point.rates)})
        for name, one in rates.items():
            run.metrics(_flat(f"test_{name}", one))
        if caveat := point.warning or _promise(point):
            run.note(caveat)
        parent_tags(
            {"segmentation": _told(rates["glass"])},
            {"glass_fn_rate": rates["glass"].fn_rate, "glass_fp_rate": rates["glass"].fp_rate},
        )


def pooled_zones(segments: Sequence[str], samples_path: str, model_path: str) -> pd.DataFrame:
    """Return the zones of all parts, in the table's order.

    Raises:
        DataError: A zone of a validation or test glass was scored twice or not at all.
    """
    pooled = pd.concat([pd.read_parquet(Path(folder) / ZONES) for folder in segments], ignore_index=True)
    table, split = read_samples(samples_path, "images"), read_split(Path(model_path) / SPLIT)
    wanted = table.rows["image"][table.rows["group"].astype(str).isin({*split.validation, *split.test})].tolist()
    if sorted(pooled["image"]) != sorted(wanted):
        odd = set(wanted) ^ set(pooled["image"])
        raise DataError(
            f"every zone of the validation and test glasses must be scored once, got {len(pooled)} scores of "
            f"{len(wanted)} zones, at odds over {sorted(odd)[:5]}; give each part of the zones once"
        )
    return pooled.set_index("image").loc[wanted].reset_index()


def _flat(prefix: str, rates: ErrorRates) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in asdict(rates).items() if name != "threshold"}


def _told(rates: ErrorRates) -> str:
    return f"missed {rates.fn} of {rates.defective} defective glasses, rejected {rates.fp} of {rates.clean} clean ones"


def _promise(point: OperatingPoint) -> str:
    """Say what the validation glasses cannot promise, or nothing."""
    rates = point.rates
    if rates.fn_high <= point.max_fn_rate:
        return ""
    return (
        f"{rates.fn} of {rates.defective} defective validation glasses pass: with 95 % confidence up to "
        f"{rates.fn_high:.1%}, more than the stated {point.max_fn_rate:.1%}; validate on more glasses to know better"
    )
