"""Turn labelled captures into a sample table."""

import shutil
import tempfile
from pathlib import Path

from glassline.data.importers import read_source
from glassline.steps.import_images import keep_samples
from glassline.tracking import parent_artifact, step_run


def import_labels(labels_path: str, samples_path: str) -> str:
    """Read labels and what the rig wrote of their zones, and return the content hash of the sample table.

    Args:
        labels_path: Label file written by `merge_labels`; it names its captures and their hash.
        samples_path: Where the Parquet table of zones goes.

    Raises:
        DataError: The captures are no longer those that were labelled, or a label breaks a rule.
    """
    with step_run("import_labels", {}) as run:
        table = read_source(labels_path, "captures")
        _show_labels(labels_path)
        return keep_samples(run, table, samples_path)


def _show_labels(labels_path: str) -> None:
    """Keep the labels with the pipeline's own run, from where `retrain` can be given them."""
    with tempfile.TemporaryDirectory() as folder:
        parent_artifact(shutil.copyfile(labels_path, Path(folder) / "labels.json"))
