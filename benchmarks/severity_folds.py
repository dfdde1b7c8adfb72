"""Severity detection on dagm2007_class1, 5 stratified folds, seed 0: detection, severity, classifier, repeatability.

    python benchmarks/severity_folds.py --data DATA/dagm2007_class1 --out runs/dagm

Every figure is of images that neither detector nor classifier saw. The threshold of a fold is that of the highest mean
IoU on the other folds' images, each as the detector that did not train on it sees it; these detectors did train on this
fold's images. A killed run goes on with the folds that are missing; `--folds` trains some of them only, for several
processes side by side. Give another folder for other `--epochs`.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import pandas as pd
import torch
import typer
from severity_unet import fit_unet, run_unet
from sklearn.model_selection import StratifiedKFold

from glassline.analysis.detection import detection_metrics, hit_curve
from glassline.analysis.detection_tables import DetectionTables, ImageDefects
from glassline.analysis.repeatability import repeatability
from glassline.analysis.severity_agreement import labelled_severity, severity_agreement
from glassline.analysis.threshold import MeanIouCurve
from glassline.data.importers import read_source
from glassline.data.store import open_store
from glassline.deploy.detector_graph import detector_to_onnx
from glassline.deploy.graphs import open_graph
from glassline.deploy.quantise import quantised
from glassline.deploy.run_detector import run_detector
from glassline.steps.train_defect_types import false_positives
from glassline.steps.train_regression import severity_of
from glassline.training.defect_types import fit_types
from glassline.training.fitted_detector import load_detector, save_detector
from glassline.training.fitted_types import load_types, run_types, save_types
from glassline.training.regression import fit_detector
from glassline.training.settings import DefectTypeSettings, RegressionSettings
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.cell_tiles import RunDetector
from glassline.vision.defects import DefectSettings, find_defects
from glassline.vision.severity import LARGEST, label_severity
from glassline.vision.type_windows import CLEAN, vote_types

FOLDS, SEED, CELL_PX = 5, 0, 4
#: A component counts as a defect from here, as in the comparators' protocol.
LEAST_PX = 100
#: Shares of a fold's threshold, and the IoU of a hit, that recall and precision are swept over.
SHARES, HIT_IOU = (0.5, 0.6, 0.75, 1.0, 1.25, 1.5), 0.3
CAPTURED, CAPTURES, NOISE_LEVELS, SHIFT_PX = 20, 50, 3.0, 2.0


def _folds(images: AnnotatedImages) -> list[tuple[list[int], list[int]]]:
    defective_N = np.array([images.has_any(number) for number in range(len(images))])
    split = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(defective_N, defective_N)
    return [(train.tolist(), test.tolist()) for train, test in split]


def _train(images: AnnotatedImages, fold: int, train: list[int], out: Path, epochs: int, threads: int) -> None:
    settings = RegressionSettings.parse({"epochs": epochs, "precision": "bf16-mixed", "threads": threads})
    if not (out / f"detector-{fold}").exists():
        fitted = fit_detector(
            images, train, [], settings, SEED, open_store(out / "checkpoints"),
            lambda epoch, values: print(f"fold {fold}, epoch {epoch}: {values}", flush=True),
        )  # fmt: skip
        save_detector(fitted, out / f"detector-{fold}")
    fit_unet(images, train, 12, SEED, out / f"unet-{fold}.safetensors", out / f"unet-checkpoints-{fold}")


def _maps(images: AnnotatedImages, tests: list[list[int]], runs: list[RunDetector]) -> dict[int, np.ndarray]:
    return {
        number: severity_of(images.pixels(number), run, CELL_PX)
        for test, run in zip(tests, runs, strict=True)
        for number in test
    }


def _coarse(out: Path, fold: int, images: AnnotatedImages, train: list[int], arithmetic: str) -> RunDetector:
    """Return a fold's detector in bfloat16, or in 8 bit with ranges from 16 of its training images."""
    graph = detector_to_onnx(load_detector(out / f"detector-{fold}"))
    if arithmetic == "bf16":
        return open_graph(graph, precision="bf16", fixed=True)[1]
    tiles = [images.pixels(number)[:256, :256] for number in train[:16]]
    return open_graph(quantised(graph, tiles, (0.0, LARGEST)), fixed=True)[1]


def _threshold(images: AnnotatedImages, maps: dict[int, np.ndarray], numbers: list[int]) -> float:
    curve = MeanIouCurve()
    for number in numbers:
        curve.add(maps[number], images.mask(number), CELL_PX)
    return curve.best().threshold


def _types(
    images: AnnotatedImages, fold: int, train: list[int], detect: RunDetector, threshold: float, out: Path, threads: int
) -> None:
    if (out / f"types-{fold}").exists():
        return
    lower = DefectSettings(threshold=threshold / 2, least_px=LEAST_PX)
    wrong = [(number, box) for number in train for box in false_positives(images, number, detect, CELL_PX, lower)]
    settings = DefectTypeSettings.parse(
        {"classifier": {"network": "resnet18"}, "epochs": 12, "windows": 512, "precision": "bf16-mixed",
         "threads": threads}
    )  # fmt: skip
    fitted = fit_types(images, train, [], wrong, settings, SEED, open_store(out / "checkpoints"),
                       lambda epoch, values: print(f"types {fold}, epoch {epoch}: {values}", flush=True))  # fmt: skip
    print(f"fold {fold}: {fitted.counts}")
    save_types(fitted, out / f"types-{fold}")


def _annotated(images: AnnotatedImages, number: int) -> ImageDefects:
    told = images.annotated(number)
    if not told.labels:
        return ImageDefects.annotated(told.index_HW, told.labels)
    labels = label_severity(images.grey(number), told.mask_HW, CELL_PX)
    severity_N3 = labelled_severity(labels, told.index_HW, len(told.labels), CELL_PX)
    return ImageDefects.annotated(told.index_HW, told.labels, severity_N3)


def _tables(
    images: AnnotatedImages, tests: list[list[int]], maps: dict[int, np.ndarray], thresholds: list[float],
    out: Path | None,
) -> DetectionTables:  # fmt: skip
    """Compare every image; with `out` what the fold's classifier calls clean is left out."""
    tables = DetectionTables()
    for fold, (test, threshold) in enumerate(zip(tests, thresholds, strict=True)):
        settings = DefectSettings(threshold=threshold, least_px=LEAST_PX)
        types = load_types(out / f"types-{fold}") if out else None
        judge = run_types(types) if types else None
        for number in test:
            size = images.sizes_px[number]
            found = find_defects(maps[number], CELL_PX, size, settings)
            if types and judge:
                votes = vote_types(images.pixels(number), found, CELL_PX, judge, types.classes, types.window_px)
                found = [one for one, (name, _) in zip(found, votes, strict=True) if name != CLEAN]
            tables.add(images.images[number], _annotated(images, number),
                       ImageDefects.found(found, CELL_PX, size))  # fmt: skip
    return tables


def _sweep(
    images: AnnotatedImages, tests: list[list[int]], maps: dict[int, np.ndarray], thresholds: list[float],
    out: Path | None,
) -> str:  # fmt: skip
    """Return recall and precision of defects, hit from an IoU of .3, over shares of the thresholds."""
    told = []
    for share in SHARES:
        curve = hit_curve(_tables(images, tests, maps, [share * one for one in thresholds], out), False)
        row = curve[curve["iou"] == HIT_IOU].iloc[0]
        told.append(f"{share:g}: {row['recall']:.3f} / {row['precision']:.3f}")
    return "  ".join(told)


def _captures(images: AnnotatedImages, tests: list[list[int]], runs: list[RunDetector], thresholds: list[float]) -> str:
    """Capture defective images again and again, each time a little moved, with noise of its own."""
    fold_of = {number: fold for fold, test in enumerate(tests) for number in test}
    chosen = [number for number in sorted(fold_of) if images.has_any(number)][:CAPTURED]
    tables = [DetectionTables() for _ in range(CAPTURES)]
    for number in chosen:
        fold, grey_HW = fold_of[number], images.pixels(number)
        settings, size = DefectSettings(threshold=thresholds[fold], least_px=LEAST_PX), images.sizes_px[number]
        rng = np.random.default_rng([SEED, number])

        def found(shot_HW: np.ndarray, fold: int = fold, settings: DefectSettings = settings) -> ImageDefects:
            severity_RC = severity_of(shot_HW, runs[fold], CELL_PX)
            return ImageDefects.found(find_defects(severity_RC, CELL_PX, shot_HW.shape, settings), CELL_PX,
                                      shot_HW.shape)  # fmt: skip

        reference = found(grey_HW)
        for one in tables:
            move = np.float32([[1, 0, rng.uniform(-SHIFT_PX, SHIFT_PX)], [0, 1, rng.uniform(-SHIFT_PX, SHIFT_PX)]])
            moved_HW = cv2.warpAffine(grey_HW, move, size[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            noisy_HW = moved_HW + rng.normal(0, NOISE_LEVELS, size)
            here = found(np.clip(np.rint(noisy_HW), 0, 255).astype(np.uint8))
            # Registered, as captures are compared on the line.
            back_HW = cv2.warpAffine(here.index_HW.astype(np.float32), move, size[::-1],
                                     flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP).astype(np.int32)  # fmt: skip
            one.add(images.images[number], reference,
                    ImageDefects(back_HW, here.types, here.severity_N3, here.probability_N))  # fmt: skip
    told, _ = repeatability(tables)
    return json.dumps(asdict(told), indent=1)


def main(
    data: Annotated[Path, typer.Option(help="the set as published")],
    out: Annotated[Path, typer.Option(help="folder for models and tables")],
    epochs: Annotated[int, typer.Option(min=1)] = 14,
    threads: Annotated[int, typer.Option(min=0)] = 0,
    folds: Annotated[list[int] | None, typer.Option(help="train these only, and measure nothing")] = None,
) -> None:
    """Train what is missing, measure all."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(threads or torch.get_num_threads())
    images = AnnotatedImages(read_source(data, "dagm"))
    parts = _folds(images)
    for fold in folds if folds else range(FOLDS):
        _train(images, fold, parts[fold][0], out, epochs, threads)
    if folds:
        return
    tests = [test for _, test in parts]
    detectors = [run_detector(load_detector(out / f"detector-{fold}")) for fold in range(FOLDS)]
    unets = [run_unet(out / f"unet-{fold}.safetensors", CELL_PX) for fold in range(FOLDS)]
    told = {}
    for name, runs in (("severity detector", detectors), ("U-Net", unets)):
        maps = _maps(images, tests, runs)
        thresholds = [_threshold(images, maps, [n for n in maps if n not in set(test)]) for test in tests]
        print(f"{name}: T = {', '.join(f'{one:.2f}' for one in thresholds)}")
        told[name] = _tables(images, tests, maps, thresholds, None)
        if name == "severity detector":
            for fold, (train, _) in enumerate(parts):
                _types(images, fold, train, detectors[fold], thresholds[fold], out, threads)
            told["with classifier"] = _tables(images, tests, maps, thresholds, out)
            for stages, folder in (("three stages", None), ("four stages", out)):
                swept = _sweep(images, tests, maps, thresholds, folder)
                print(f"share of T: recall / precision at IoU {HIT_IOU}, {stages}: {swept}", flush=True)
            for arithmetic in ("bf16", "int8"):
                coarse = _maps(images, tests, [_coarse(out, fold, images, parts[fold][0], arithmetic)
                                               for fold in range(FOLDS)])  # fmt: skip
                told[arithmetic] = _tables(images, tests, coarse, thresholds, None)
            print(f"repeatability: {_captures(images, tests, detectors, thresholds)}")
    rows = [{"method": name, **asdict(detection_metrics(one))} for name, one in told.items()]
    print(pd.DataFrame(rows).T.to_string())
    for name, one in told.items():
        print(name)
        print(severity_agreement(one.annotated).to_string())


if __name__ == "__main__":
    typer.run(main)
