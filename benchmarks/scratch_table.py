"""Table 1 of the paper on simulated glass: which network and loss misses how many scratches, at how many false alarms?

    python benchmarks/scratch_table.py --data DIR --out DIR --seed 0

Renders what is missing under DATA: training glasses of `faint`, `standard` and `hard`, and test glasses of `faint` (the
preset that was trained on) and `unseen`. Trains every row on the same patches, chooses its threshold on the validation
glasses for at most 2.4 % missed glasses, and judges the test glasses once. One MLflow run per row, beside that of its
training. What is there already is not made again: rows that are trained, presets that are scored.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from joblib import Parallel, delayed

from glassline.analysis.operating_point import ErrorRates, choose_threshold, error_rates, rates_at_fp, trade_off
from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import Frames, open_captures
from glassline.data.captures.zone_format import ZoneFormat
from glassline.data.glass_split import split_glasses
from glassline.data.importers import read_source
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store import open_store
from glassline.errors import SettingsError
from glassline.report.segmentation import trade_off_figure
from glassline.tracking import step_run
from glassline.training.settings import SegmentationSettings
from glassline.vision.double_threshold import DoubleThresholdSettings, threshold
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.light_states import respond
from glassline.vision.scratches import find_scratches
from glassline.vision.tiles import RunNetwork, TileSettings, score_zone
from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses, write_glass, write_truth
from pipelines.retrain_settings import RetrainSettings

#: Largest share of scratched glasses that may pass, and of clean ones that may be rejected: the goals.
MAX_FN_RATE, FP_RATE = 0.024, 0.15
#: Presets that are rendered for training and how many glasses of each; the network meets faint and plain scratches.
TRAINING = (("faint", 360), ("standard", 70), ("hard", 70))
TESTS = (("faint", 2000), ("unseen", 2001))
CLASSICAL = "classical"
#: The pipeline's clusters from its low threshold up; what is judged is the highest score of a cluster.
FIND = RetrainSettings().find.model_copy(update={"high": RetrainSettings().find.low})


def _row(width: float, **told: Any) -> dict[str, Any]:
    """Return the settings of a row; every row is shown the same number of patches."""
    network, loss = told.pop("network", "unet_nested"), told.pop("loss", "autoencoder")
    alpha = told.pop("alpha", 0.7)
    return {
        "unet": {"network": network, "width": width}, "loss": {"name": loss, "alpha": alpha}, "patch_px": 256,
        "batch_size": 16, "learning_rate": 2e-3, "schedule": "one-cycle", "precision": "bf16-mixed",
        "scratch_share": 0.5, **told,
    }  # fmt: skip


def rows_of(width: float) -> dict[str, dict[str, Any]]:
    """Return the rows of the table: the paper's four, plain L2, and one that cannot see directions."""
    return {
        "nested_autoencoder": _row(width),
        "nested_cross_entropy": _row(width, loss="cross_entropy"),
        "nested_autoencoder_blind": _row(width, direction_blind=True),
        "plain_autoencoder": _row(width, network="unet_plain"),
        "resnet34_autoencoder": _row(width, network="unet_resnet34"),
        "nested_squared": _row(width, loss="squared"),
    }


def _render_training(out: Path, seed: int) -> None:
    """Render glasses of several presets into one set, each with a number of its own."""
    with written_whole(out) as beside, ThreadPoolExecutor(2) as pool:
        captures, zones, first = open_captures(beside / "captures"), [], 1
        for difficulty, count in TRAINING:
            settings = GlassSetSettings(glasses=1, difficulty=difficulty, seed=seed + 1000, marked=False)
            for number in range(first, first + count):
                zones += write_glass(settings, captures, number, pool)
            first += count
        write_truth(beside, captures, zones)


def _render(data: Path, glasses: int, seed: int) -> None:
    if not (data / "train").exists():
        _render_training(data / "train", seed)
    for difficulty, first_seed in TESTS:
        if not (data / f"test_{difficulty}").exists():
            settings = GlassSetSettings(glasses=glasses, difficulty=difficulty, seed=seed + first_seed, marked=False)
            simulate_glasses(settings, data / f"test_{difficulty}")


def _zones(folder: Path) -> LabelledZones:
    return LabelledZones(read_source(folder / "truth.json", "captures"), ["scratch"])


def _train(zones: LabelledZones, train: list[int], validation: list[int], name: str, told: dict[str, Any],
           out: Path, seed: int) -> None:  # fmt: skip
    from glassline.report.figures import curves_figure
    from glassline.training.fitted_segmenter import save_segmenter
    from glassline.training.segmentation import fit_segmenter

    with step_run("train_unet", told, part=name) as run:
        started_s, cpu_s = time.perf_counter(), time.process_time()
        fitted = fit_segmenter(
            zones, train, validation, SegmentationSettings.parse(told), seed, open_store(out / "checkpoints"),
            lambda epoch, values: run.metrics(values, step=epoch),
        )  # fmt: skip
        run.metrics({"wall_seconds": time.perf_counter() - started_s, "cpu_seconds": time.process_time() - cpu_s})
        run.figure(curves_figure(fitted.history), "curves")
        save_segmenter(fitted, out / "models" / name)


def _score_part(folder: Path, numbers: Sequence[int], models: dict[str, Path]) -> list[dict[str, Any]]:
    """Return one row per zone: its glass, whether it has a scratch, and the highest peak of every method.

    Networks run as they are handed out: as a graph, in float32.
    """
    from glassline.deploy.export_segmenter import segmenter_to_onnx
    from glassline.deploy.graphs import open_graph
    from glassline.training.fitted_segmenter import load_segmenter

    zones = _zones(folder)
    fitted = {name: load_segmenter(path) for name, path in models.items() if name != CLASSICAL}
    runs = {name: open_graph(segmenter_to_onnx(one), threads=1)[1] for name, one in fitted.items()}
    rows = []
    for number in numbers:
        meta = zones.captures.meta(zones.ref(number))
        frames_SHW = zones.frames(number, ZoneFormat.of(meta))
        row = {"image": zones.images[number], "glass": zones.groups[number], "defective": zones.has_any(number)}
        if CLASSICAL in models:
            row[CLASSICAL] = _classical_peak(frames_SHW, meta)
        row |= {name: _network_peak(frames_SHW, meta, one, runs[name]) for name, one in fitted.items()}
        rows.append(row)
    return rows


def _classical_peak(frames_SHW: Frames, meta: ZoneMeta) -> float:
    response = respond(frames_SHW, meta.pattern, sorted(meta.azimuths_deg))
    found = threshold(response, meta.pitch_um, DoubleThresholdSettings())
    return float(np.where(found.mask_HW, found.score_HW, 0).max())


def _network_peak(frames_SHW: Frames, meta: ZoneMeta, fitted: Any, run: RunNetwork) -> float:
    fitted.format.order(meta)  # frames are in the order of their azimuths, as the model's; other lights are refused
    settings = fitted.settings
    scores = score_zone(
        lambda tile: frames_SHW[:, *tile.pixels], frames_SHW.shape[1:], fitted.format, run, TileSettings(),
        settings.unet.block_px, settings.direction_blind, meta.pitch_um,
    )  # fmt: skip
    return max((scratch.peak for scratch in find_scratches(scores, FIND)), default=0.0)


def _of_model(folder: Path) -> str:
    """Return what tells a trained row's scores from those of an earlier one."""
    return f"-{folder_hash(folder)[:12]}" if folder.exists() else ""


def _scores(folder: Path, numbers: Sequence[int], out: Path, names: Sequence[str], models: Path) -> pd.DataFrame:
    """Return the zones of a set with the peaks of every method; models that are scored already are read."""
    files = {name: out / f"{name}{_of_model(models / name)}.parquet" for name in names}
    missing = {name: models / name for name in names if not files[name].exists()}
    if missing:
        parts = Parallel(n_jobs=2)(delayed(_score_part)(folder, numbers[part::2], missing) for part in (0, 1))
        zones = pd.DataFrame([row for part in parts for row in part])
        for name in missing:
            with written_whole(files[name]) as beside:
                zones[["image", "glass", "defective", name]].sort_values("image").to_parquet(beside)
    tables = [pd.read_parquet(files[name]).set_index("image") for name in names]
    return tables[0][["glass", "defective"]].join([table[[name]] for name, table in zip(names, tables, strict=True)])


def _units(zones: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return zones (images) and glasses (samples): a glass is as bad as its worst zone."""
    return {"sample": zones.groupby("glass").max(), "image": zones.drop(columns="glass")}


def _told(rates: ErrorRates) -> str:
    fn = f"FN {rates.fn:4} of {rates.defective} ({rates.fn_rate:6.1%}, {rates.fn_low:.1%}-{rates.fn_high:.1%})"
    return f"{fn}  FP {rates.fp:4} of {rates.clean} ({rates.fp_rate:6.1%}, {rates.fp_low:.1%}-{rates.fp_high:.1%})"


def _judge(zones: pd.DataFrame, name: str, high: float) -> dict[str, float]:
    """Print the errors of a row on a preset, and return them as metrics."""
    metrics: dict[str, float] = {}
    for unit, table in _units(zones).items():
        peak_N, defective_N = table[name].to_numpy(), table["defective"].to_numpy(bool)
        rates, equal = error_rates(peak_N, defective_N, high), rates_at_fp(peak_N, defective_N, FP_RATE)
        print(f"  {name:26} {unit:7} at {high:.3f}: {_told(rates)}\n{'':38}at equal FP: {_told(equal)}", flush=True)
        for prefix, one in ((unit, rates), (f"{unit}_equal_fp", equal)):
            metrics |= {f"{prefix}_{key}": value for key, value in asdict(one).items()}
    return metrics


def _figure(zones: pd.DataFrame, thresholds: dict[str, float]) -> Any:
    """Draw the trade-off of some rows over glasses."""
    table = _units(zones)["sample"]
    defective_N = table["defective"].to_numpy(bool)
    peaks = {name: table[name].to_numpy() for name in thresholds}
    return trade_off_figure(
        {name: trade_off(peak_N, defective_N) for name, peak_N in peaks.items()},
        {name: error_rates(peak_N, defective_N, thresholds[name]) for name, peak_N in peaks.items()},
    )


def _check_protocol(out: Path, protocol: dict[str, Any]) -> None:
    """Refuse a folder with the results of another protocol: rows and scores there are found by name.

    Raises:
        SettingsError: It holds some.
    """
    file, told = out / "protocol.json", json.dumps(protocol, indent=1)
    if file.exists() and file.read_text() != told:
        raise SettingsError(f"{out} must hold the results of one protocol, got those of {file}; name another folder")
    if not file.exists():
        with written_whole(file) as beside:
            beside.write_text(told)


def main(
    data: Annotated[Path, typer.Option(help="folder for simulated glasses")],
    out: Annotated[Path, typer.Option(help="folder for models and scores")],
    seed: Annotated[int, typer.Option(min=0)] = 0,
    row: Annotated[list[str] | None, typer.Option(help="row of the table, repeatable; all by default")] = None,
    width: Annotated[float, typer.Option(help="factor on all features")] = 0.25,
    epochs: Annotated[int, typer.Option(min=1)] = 12,
    patches: Annotated[int, typer.Option(min=16, help="patches of an epoch")] = 2000,
    test_glasses: Annotated[int, typer.Option(min=10, help="test glasses of a preset")] = 1000,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads of a fit; 0 takes all")] = 0,
    train_only: Annotated[bool, typer.Option(help="train the rows and stop")] = False,
) -> None:
    """Render, train, score, judge."""
    table = rows_of(width)
    names = list(row or table)
    protocol = {"data": str(data), "seed": seed, "epochs": epochs, "patches": patches, "glasses": test_glasses}
    _check_protocol(out, {**protocol, "rows": table, "find": FIND.model_dump()})
    _render(data, test_glasses, seed)
    zones = _zones(data / "train")
    split = split_glasses(zones.groups, [zones.has_any(number) for number in range(len(zones))], seed)
    # Test glasses are rendered apart: what the split would keep for a test is trained on.
    train, validation = (
        [number for number in range(len(zones)) if zones.groups[number] in glasses]
        for glasses in ({*split.train, *split.test}, set(split.validation))
    )
    for name in names:
        if not (out / "models" / name).exists():
            told = {**table[name], "epochs": epochs, "patches": patches, "threads": threads}
            _train(zones, train, validation, name, told, out, seed)
    if train_only:
        return
    methods = [*names, CLASSICAL]
    chosen_on = _units(_scores(data / "train", validation, out / "scores" / "validation", methods, out / "models"))
    thresholds = {}
    for name in methods:
        sample = chosen_on["sample"]
        point = choose_threshold(sample[name].to_numpy(), sample["defective"].to_numpy(bool), MAX_FN_RATE)
        thresholds[name] = point.high
        print(f"validation {name:26} {point.high:.3f}: {_told(point.rates)} {point.warning}")
    sets = {preset: data / f"test_{preset}" for preset, _ in TESTS}
    scored = {
        preset: _scores(folder, range(len(_zones(folder))), out / "scores" / preset, methods, out / "models")
        for preset, folder in sets.items()
    }
    for name, high in thresholds.items():
        with step_run("evaluate_segmentation", {"row": name}, part=name) as run:
            run.metrics({"high": high})
            for preset, zones_of in scored.items():
                print(f"{preset}:")
                told = _judge(zones_of, name, high)
                run.metrics({f"{preset}_{key}": value for key, value in told.items()})
                run.figure(_figure(zones_of, {name: high}), f"trade_off_{preset}")
    with step_run("evaluate_segmentation", {"rows": methods}, part="all rows") as run:
        for preset, zones_of in scored.items():
            run.figure(_figure(zones_of, thresholds), f"trade_off_{preset}")
    (out / "thresholds.json").write_text(json.dumps(thresholds, indent=1))


if __name__ == "__main__":
    typer.run(main)
