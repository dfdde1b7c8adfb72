"""Train the network that finds scratches in captures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.data.captures.store import open_captures
from glassline.data.glass_split import GlassSplit, numbers_of, split_glasses
from glassline.data.samples import SampleTable
from glassline.data.storage import folder_hash
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.tracking import StepRun, step_run
from glassline.training.settings import SegmentationSettings
from glassline.vision.exposure import check_exposed
from glassline.vision.labelled_zones import LabelledZones

#: File of the model folder that tells which glasses were trained on, chosen by and kept for the test.
SPLIT = "split.json"


def train_unet(samples_path: str, segmentation: Mapping[str, Any], seed: int, store: str, model_path: str) -> str:
    """Train a network on most glasses, write it with the split of the glasses, and return a hash of both.

    Args:
        samples_path: Table of images: zones of captures with their labels.
        segmentation: Fields of `SegmentationSettings`.
        seed: Seed of the split and of the fit.
        store: Folder or S3 URL for checkpoints; a killed fit resumes from there.
        model_path: Folder for weights, settings, history and `split.json`.

    Raises:
        DataError: The images are no captures, zones differ in format, are saturated, black or smaller than a patch, a
            class is not among the table's, or too few glasses have it.
        ModelError: The loss left the finite numbers.
    """
    from glassline.data.samples import read_samples
    from glassline.report.figures import curves_figure
    from glassline.training.fitted_segmenter import save_segmenter
    from glassline.training.segmentation import fit_segmenter
    from glassline.training.sharing import end_others

    with step_run("train_unet", {"segmentation": dict(segmentation), "seed": seed}) as run:
        settings = SegmentationSettings.parse(segmentation)
        zones = captured_zones(read_samples(samples_path, "images"), settings.labels)
        split = split_glasses(zones.groups, [zones.has_any(number) for number in range(len(zones))], seed)
        _tell(run, zones, split)
        train, validation = numbers_of(zones.groups, split.train), numbers_of(zones.groups, split.validation)
        _check_exposed(run, zones, [*train, *validation])
        fitted = fit_segmenter(
            zones, train, validation, settings, seed, open_store(store).below("checkpoints"),
            lambda epoch, values: run.epoch(epoch, values, settings.epochs),
        )  # fmt: skip
        end_others()
        save_segmenter(fitted, model_path)
        split.write(Path(model_path) / SPLIT)
        if len(fitted.history):
            run.figure(curves_figure(fitted.history), "curves")
        run.metrics({"parameters": sum(one.numel() for one in fitted.model.parameters())})
        return folder_hash(model_path)


def captured_zones(table: SampleTable, labels: tuple[str, ...]) -> LabelledZones:
    """Return the zones of a table of captures.

    Raises:
        DataError: The images are no captures, or a class is not among the table's.
    """
    zones = LabelledZones(table, labels)
    if zones.captures is None:
        raise DataError(
            f"scratches are looked for in captures, got images such as {zones.images[0]}; import with "
            "data_format=captures, or set segment=false"
        )
    return zones


def _check_exposed(run: StepRun, zones: LabelledZones, numbers: list[int]) -> None:
    """Refuse zones that show light or nothing: a network would learn that defects look like that."""
    of, captures = zones.format(), open_captures(zones.root)
    for done, number in enumerate(numbers, 1):
        check_exposed(zones.frames(number, of), captures.meta(zones.ref(number)))
        run.progress(done, len(numbers), "zones looked at")


def _tell(run: StepRun, zones: LabelledZones, split: GlassSplit) -> None:
    """Log how many zones and glasses lie on each side, with and without what is looked for."""
    for side, glasses in vars(split).items():
        numbers = numbers_of(zones.groups, glasses)
        defective = {zones.groups[number] for number in numbers if zones.has_any(number)}
        counts = {"zones": len(numbers), "glasses": len(glasses), "glasses_defective": len(defective)}
        run.metrics({f"{side}_{name}": count for name, count in counts.items()})
