"""Labels of captures: one JSON file with the objects of every labelled zone.

Merged from inspectors' boxes and a model, or the truth of a simulator; what `--set data_format=captures`
reads. The captures stay where they are: the file names their URL and their content hash.
"""

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from glassline.data.captures.meta import GLASS_ID, ZoneRef
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.settings import Settings

#: Columns of a box in a table: left, top and size in px of its image.
BOX_COLUMNS = ("x_px", "y_px", "width_px", "height_px")

#: How sure a box is: as drawn; contested and decided by wiping the glass or under a microscope; contested and not
#: decided yet, for whoever trains to leave out or keep.
Status = Literal["confirmed", "wiped", "microscope", "contested"]

#: Class of glass without defect.
CONTROL = "control"


class LabelledObject(Settings):
    """One defect in a zone."""

    label: str = Field(min_length=1, description="class")
    bbox: tuple[float, float, float, float] = Field(description="x, y, width, height in px of the clean zone")
    segmentation: dict[str, object] = Field(description="COCO run lengths {size: [height, width], counts: string}")
    status: Status = Field("confirmed", description="how sure the box is")


class ZoneLabels(Settings):
    """Every defect of one zone; a zone without any is listed with none."""

    glass: str = Field(pattern=GLASS_ID)
    zone: int = Field(ge=0)
    width_px: int = Field(gt=0)
    height_px: int = Field(gt=0)
    objects: tuple[LabelledObject, ...] = ()

    @property
    def ref(self) -> ZoneRef:
        """The clean zone that the labels belong to."""
        return ZoneRef(self.glass, "clean", self.zone)


class Labels(Settings):
    """Labels of many zones and which captures they belong to."""

    version: Literal[1] = 1
    captures: str = Field(description="URL of the captures, or a folder, relative to this file where it can be")
    captures_hash: str = Field(description="content hash of the captures that were labelled")
    classes: tuple[str, ...] = Field(description="classes in the order of the models' outputs, `control` last")
    zones: tuple[ZoneLabels, ...] = Field(min_length=1, description="labelled zones; others were not looked at")

    def content_hash(self) -> str:
        """Return one SHA-256 over labels and captures' hash, wherever file and captures lie."""
        return hashlib.sha256(self.model_dump_json(exclude={"captures"}).encode()).hexdigest()

    def write(self, path: str | Path) -> None:
        """Write the file, whole or not at all."""
        with written_whole(path) as beside:
            beside.write_text(self.model_dump_json())


def read_labels(path: str | Path) -> Labels:
    """Read and check a label file; `captures` comes back absolute.

    Raises:
        DataError: The file is missing, no JSON, or breaks a rule; names file and field.
    """
    path = Path(path)
    try:
        labels = Labels.model_validate(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        told = (
            f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}" if isinstance(error, ValidationError) else error
        )
        raise DataError(f"{path} must be a label file of glassline ({told}); merge the labels again") from None
    for zone in labels.zones:
        for item in zone.objects:
            if item.label not in labels.classes:
                raise DataError(
                    f"{path}: {zone.ref.image_name} has the class {item.label!r}, which must be among "
                    f"{list(labels.classes)}; mend the label"
                )
    if "://" not in labels.captures:
        labels = labels.model_copy(update={"captures": str((path.parent / labels.captures).resolve())})
    return labels
