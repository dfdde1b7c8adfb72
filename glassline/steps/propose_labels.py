"""Send the current model's proposals out to labelling software."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from glassline.data.captures.store import open_captures
from glassline.errors import DataError
from glassline.tracking import step_run
from glassline.vision.current_model import current_model
from glassline.vision.propose import ProposeSettings, write_proposals


def propose_labels(
    captures: str, captures_hash: str, annotations_format: str, model: str, propose: Mapping[str, Any],
    proposals_path: str,
) -> None:  # fmt: skip
    """Write the pictures of all zones and the boxes that the current model proposes on them.

    Args:
        captures: Folder or S3 URL of the captures.
        captures_hash: Content hash of the captures; "" skips the comparison.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model.
        propose: Fields of `ProposeSettings`.
        proposals_path: Folder for pictures and annotations.

    Raises:
        DataError: The captures changed, or hold no zone of the kind asked for.
        SettingsError: Format, model or a setting is unknown.
    """
    params = {"captures": captures, "annotations_format": annotations_format, "model": model, "propose": dict(propose)}
    with step_run("propose_labels", params) as run:
        check_captures(captures_hash, captures)

        def progress(done: int, total: int) -> None:
            if done % max(total // 10, 1) == 0:
                print(f"propose_labels: {done} of {total} zones", flush=True)

        settings = ProposeSettings.parse(propose)
        images = write_proposals(
            open_captures(captures), annotations_format, current_model(model), settings, Path(proposals_path), progress
        )
        run.metrics({"zones": len(images), "boxes": sum(len(image.boxes) for image in images)})


def check_captures(captures_hash: str, captures: str) -> None:
    """Refuse captures that changed since the run was submitted.

    Raises:
        DataError: They did.
    """
    if captures_hash and (found := open_captures(captures).content_hash()) != captures_hash:
        raise DataError(
            f"{captures} must not change between submission and labelling: its hash was {captures_hash[:12]}, "
            f"now it is {found[:12]}; submit the run again"
        )
