"""How well networks find pixels of validation images, at the threshold that suits each of them best."""

from collections.abc import Sequence

from glassline.analysis.segmentation import PixelCounts, in_blocks
from glassline.analysis.threshold import MeanIouCurve
from glassline.data.captures.store import open_captures
from glassline.deploy.run_detector import run_detector
from glassline.steps.train_regression import severity_of
from glassline.training.fitted_detector import FittedDetector
from glassline.training.fitted_segmenter import FittedSegmenter
from glassline.training.run_network import run_network
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.tiles import TileSettings, score_zone


def segmenter_scores(fitted: FittedSegmenter, zones: LabelledZones, numbers: Sequence[int]) -> dict[str, float]:
    """Return `pixel_f1`, `pixel_precision`, `pixel_recall` and `mean_iou` of some zones, in blocks of the score map.

    Raises:
        DataError: A zone is damaged, or of another format; names it.
    """
    settings, counts, captures = fitted.settings, PixelCounts(), open_captures(zones.root)
    run, block_px = run_network(fitted), settings.unet.block_px
    for number in numbers:
        scores = score_zone(
            lambda window, number=number: zones.frames(number, fitted.format, window),  # type: ignore[misc]
            zones.sizes_px[number], fitted.format, run, TileSettings(), block_px, settings.direction_blind,
            captures.meta(zones.ref(number)).pitch_um,
        )  # fmt: skip
        truth_hw = in_blocks(zones.mask(number), block_px)
        height, width = scores.score_hw.shape
        counts.add(scores.score_hw, truth_hw[:height, :width])
    best = counts.best()
    return {
        "pixel_f1": best.f1, "pixel_precision": best.precision, "pixel_recall": best.recall, "mean_iou": best.mean_iou
    }  # fmt: skip


def detector_scores(fitted: FittedDetector, images: AnnotatedImages, numbers: Sequence[int]) -> dict[str, float]:
    """Return `mean_iou`, `pixel_f1`, `pixel_precision` and `pixel_recall` of some images."""
    curve, run, cell_px = MeanIouCurve(), run_detector(fitted), fitted.settings.detector.cell_px
    for number in numbers:
        curve.add(severity_of(images.pixels(number), run, cell_px), images.mask(number), cell_px)
    best = curve.best()
    return {
        "mean_iou": best.mean_iou, "pixel_f1": best.f1, "pixel_precision": best.precision, "pixel_recall": best.recall
    }  # fmt: skip
