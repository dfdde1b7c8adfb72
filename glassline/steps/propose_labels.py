"""Send the current model's proposals out to labelling software."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.data.captures.zone_list import read_zone_list
from glassline.tracking import step_run
from glassline.vision.current_model import current_model
from glassline.vision.propose import ProposeSettings, write_proposals


def propose_labels(
    zones: str, annotations_format: str, model: str, propose: Mapping[str, Any], proposals_path: str
) -> None:
    """Write the pictures of the listed zones and the boxes that the current model proposes on them.

    Args:
        zones: Where `ingest_captures` listed them.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model, or path or S3 URL of its bundle.
        propose: Fields of `ProposeSettings`.
        proposals_path: Folder for pictures and annotations.

    Raises:
        DataError: A zone changed, or there is none of the kind asked for.
        SettingsError: Format, model or a setting is unknown.
    """
    params = {"annotations_format": annotations_format, "model": model, "propose": dict(propose)}
    with step_run("propose_labels", params) as run:
        captures, refs = read_zone_list(zones)
        settings = ProposeSettings.parse(propose)
        images = write_proposals(
            captures, refs, annotations_format, current_model(model), settings, Path(proposals_path),
            lambda done, total: run.progress(done, total, "zones"),
        )  # fmt: skip
        run.metrics({"zones": len(images), "boxes": sum(len(image.boxes) for image in images)})
