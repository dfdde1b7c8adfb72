"""The sums of systems D and E with plain loops beside what we compute: the largest difference."""

import numpy as np
import pandas as pd

from glassline.bench.measured import Bench, Measured


def median_gradient(bench: Bench) -> Measured:
    """Compare the median of a window's gradients with numpy's, eq. 1 of system D."""
    from glassline.vision.median_gradients import gradients, median

    generator, worst = np.random.default_rng(bench.seed), 0.0
    for images in (30, 31):
        window_KHW = generator.integers(0, 256, (images, 16, 16), np.uint8)
        for axis in (0, 1):
            gradient_KHW = np.stack([gradients(one_HW)[axis] for one_HW in window_KHW])
            worst = max(worst, float(np.abs(median(gradient_KHW) - np.median(gradient_KHW, axis=0)).max()))
    return Measured({"difference": worst})


def image_rates(bench: Bench) -> Measured:
    """Compare TPR and TNR with counting, eq. 2 and 3 of system D."""
    from glassline.analysis.image_rates import image_rates as ours

    generator = np.random.default_rng(bench.seed)
    probability_N, defective_N = generator.random(200), generator.random(200) > 0.4
    images = pd.DataFrame({"image": range(200), "probability": probability_N, "defective": defective_N})
    rates, counts = ours(images, 0.5), {"TP": 0, "FN": 0, "TN": 0, "FP": 0}
    for probability, defective in zip(probability_N.tolist(), defective_N.tolist(), strict=True):
        found = probability >= 0.5
        counts[("T" if found == defective else "F") + ("P" if found else "N")] += 1
    return Measured(
        {
            "TPR": abs(rates.tpr - counts["TP"] / (counts["TP"] + counts["FN"])),
            "TNR": abs(rates.tnr - counts["TN"] / (counts["FP"] + counts["TN"])),
        }
    )


def pixel_filter(bench: Bench) -> Measured:
    """Compare the cells of found defects with eq. 1 of system E."""
    from glassline.vision.defects import DefectSettings, draw_defects, find_defects

    severity_RC = np.random.default_rng(bench.seed).uniform(0, 12, (16, 16)).astype(np.float32)
    threshold = float(severity_RC[3, 5])
    found = find_defects(severity_RC, 1, (16, 16), DefectSettings(threshold=threshold, join_px=0, least_px=0))
    kept_RC = draw_defects(found, 1, (16, 16)) > 0
    by_hand_RC = np.array([[value >= threshold for value in row] for row in severity_RC])
    return Measured({"difference": float(np.abs(kept_RC.astype(int) - by_hand_RC.astype(int)).max())})


def severity_labels(bench: Bench) -> Measured:
    """Compare severity labels with section III.C.1 of system E."""
    from glassline.vision.severity import CUT_LEVELS, LARGEST, label_severity

    generator = np.random.default_rng(bench.seed)
    grey_HW = generator.integers(90, 140, (24, 24)).astype(np.uint8)
    mask_HW = np.zeros((24, 24), np.bool_)
    mask_HW[4:16, 8:16] = True
    grey_HW[mask_HW] = generator.integers(0, 256, int(mask_HW.sum()))
    worst, ours_RC = 0.0, label_severity(grey_HW, mask_HW, 4).severity_RC
    cells = {(r, c): grey_HW[4 * r : 4 * r + 4, 4 * c : 4 * c + 4] for r in range(6) for c in range(6)}
    masked = {at: bool(mask_HW[4 * at[0], 4 * at[1]]) for at in cells}
    for row, column in cells:
        wanted = 0.0
        if masked[row, column]:
            beside = [
                max(c for c in range(column) if not masked[row, c]),
                min(c for c in range(column, 6) if not masked[row, c]),
            ]
            scores = [_score(cells[row, column], cells[row, other]) for other in beside]
            wanted = min(sum(scores) / 2, CUT_LEVELS) * LARGEST / CUT_LEVELS
        worst = max(worst, abs(wanted - float(ours_RC[row, column])))
    return Measured({"difference": worst})


def _score(defect: np.ndarray, clean: np.ndarray) -> float:
    """Return d0 + d1 of two cells."""
    m_d, most_d, m_n, most_n = int(defect.min()), int(defect.max()), int(clean.min()), int(clean.max())
    return min(abs(m_d - m_n), abs(most_d - most_n)) + abs(most_d - m_n)


def average_recall(bench: Bench) -> Measured:
    """Compare the AR that we measure with the sum over defects and with the integral, eq. 3 of system E."""
    from glassline.analysis.detection import detection_metrics
    from glassline.analysis.detection_tables import DetectionTables, ImageDefects

    tables, iou_N = DetectionTables(), np.random.default_rng(bench.seed).integers(1, 101, 200) / 100
    for number, iou in enumerate(iou_N):
        whole_HW, part_HW = np.ones((10, 10), np.int32), np.zeros(100, np.int32)
        part_HW[: round(100 * iou)] = 1
        annotated, found = (
            ImageDefects.annotated(one_HW, ["defect"]) for one_HW in (whole_HW, part_HW.reshape(10, 10))
        )
        tables.add(str(number), annotated, found)
    ours = detection_metrics(tables).ar
    total = 2 / len(iou_N) * sum(max(float(iou) - 0.5, 0) for iou in iou_N)
    steps = 0.5 + 0.0005 * (np.arange(1000) + 0.5)
    integral = 2 * sum(float((iou_N >= level).mean()) * 0.0005 for level in steps)
    return Measured({"sum": abs(ours - total), "integral": abs(ours - integral)})
