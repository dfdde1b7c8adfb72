"""Pre-annotations: boxes around what the current model finds, for an inspector to confirm, move or delete."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from pydantic import Field

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import AnnotatedImage, Annotations, Box
from glassline.data.captures.meta import Kind, ZoneRef
from glassline.data.captures.store import Captures
from glassline.data.images import DepthWindow, to_eight_bit
from glassline.data.storage import check_empty, written_whole
from glassline.errors import DataError, SettingsError
from glassline.settings import Settings
from glassline.vision.bayer import grey_of_states
from glassline.vision.current_model import CurrentModel
from glassline.vision.double_threshold import Mask
from glassline.vision.light_states import respond

# Noise hardly shrinks: the strongest level saves little and takes ten times as long.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class ProposeSettings(Settings):
    """What goes out to labelling software."""

    depth_window: DepthWindow = Field(description="grey levels that become 0 and 255 in the pictures")
    pictures: Kind = Field(
        "clean", description="the pictures that go out: clean zones, or marked ones to draw boxes around pen marks"
    )
    join_um: float = Field(150, ge=0, description="pieces of one mask closer than this share a box")


def write_proposals(
    captures: Captures, refs: Sequence[ZoneRef], form: str, model: CurrentModel, settings: ProposeSettings, out: Path,
    progress: Callable[[int, int], None] | None = None,
) -> list[AnnotatedImage]:  # fmt: skip
    """Write the pictures of some zones and the boxes that the model proposes on them.

    Args:
        captures: Where the zones lie.
        refs: The zones; those of the kind that `settings.pictures` names go out.
        form: One of FORMATS.
        model: The current model.
        settings: Which pictures, and how.
        out: Missing or empty folder, written whole or not at all: a folder of pictures and the annotations beside it.
        progress: Called with (zones done, zones in all).

    Returns:
        What the annotations say.

    Raises:
        SettingsError: The format is unknown.
        DataError: There is no zone to show, or a chunk is damaged.
        StorageError: The folder holds something, labels perhaps; the disk is full or the folder may not be written.
    """
    check_empty(out)
    if form not in FORMATS:
        raise SettingsError(f"the format must be one of {', '.join(FORMATS)}, got {form!r}; choose one of them")
    zones, images = _shown(captures, refs, settings.pictures), []
    with written_whole(out.resolve()) as beside:
        pictures = beside / FORMATS[form].images
        pictures.mkdir(parents=True)
        for done, ref in enumerate(zones, start=1):
            images.append(propose_zone(captures, ref, model, settings, pictures))
            if progress:
                progress(done, len(zones))
        FORMATS[form].write(Annotations(images, (model.label,)), beside)
    return images


def propose_zone(
    captures: Captures, ref: ZoneRef, model: CurrentModel, settings: ProposeSettings, pictures: Path
) -> AnnotatedImage:
    """Write the picture of a zone and return the boxes that the model proposes on it.

    The model looks at the clean zone always; on a marked picture its boxes are off by what the stage moved, a few px.

    Args:
        captures: Where the zone lies.
        ref: The zone whose picture goes out.
        model: The current model.
        settings: Window of the picture and joining of boxes.
        pictures: Folder for the PNG file.

    Raises:
        DataError: The clean zone is missing or a chunk is damaged.
    """
    clean = ZoneRef(ref.glass, "clean", ref.zone)
    meta, frames_SHW = captures.meta(clean), captures.read(clean)
    found = model.segment(frames_SHW, respond(frames_SHW, meta.pattern, meta.azimuths_deg), meta)
    join_px = round(settings.join_um / meta.pitch_um)
    boxes = propose_boxes(found.mask_HW, model.label, join_px)
    shown_SHW = frames_SHW if ref == clean else captures.read(ref)
    grey_HW = grey_of_states(shown_SHW, meta.pattern)
    name = f"{ref.image_name}.png"
    picture_HW = to_eight_bit(grey_HW, settings.depth_window, ref.path)
    (pictures / name).write_bytes(cv2.imencode(".png", picture_HW, _PNG)[1].tobytes())
    height, width = grey_HW.shape
    return AnnotatedImage(name, (width, height), boxes)


def _shown(captures: Captures, refs: Sequence[ZoneRef], pictures: Kind) -> list[ZoneRef]:
    """Return the zones of a kind whose clean one is there.

    Raises:
        DataError: There is none.
    """
    of_kind = sorted(ref for ref in refs if ref.kind == pictures)
    found = [ref for ref in of_kind if ZoneRef(ref.glass, "clean", ref.zone) in captures]
    if not found:
        raise DataError(
            f"captures must have at least one {pictures} zone with its clean one, got none of {len(refs)} zones in "
            f"{captures.location.url}; check the folder"
        )
    return found


def propose_boxes(mask_HW: Mask, label: str, join_px: int) -> list[Box]:
    """Return a box around each group of pieces of a mask.

    Args:
        mask_HW: The model's mask.
        label: Class of the boxes.
        join_px: Pieces closer than this are one group.
    """
    joined_HW = cv2.dilate(mask_HW.astype(np.uint8), np.ones((max(join_px, 1),) * 2, np.uint8))
    _, labels_HW = cv2.connectedComponents(joined_HW, connectivity=8)
    rows, columns = np.nonzero(mask_HW)
    numbers = labels_HW[rows, columns]
    boxes = []
    for number in np.unique(numbers):
        y, x = rows[numbers == number], columns[numbers == number]
        boxes.append(Box(label, (float(x.min()), float(y.min()), float(np.ptp(x) + 1), float(np.ptp(y) + 1))))
    return boxes
