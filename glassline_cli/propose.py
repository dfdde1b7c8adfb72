"""`glassline propose`: the current model's boxes and the zones' pictures go out to labelling software."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class BoxFormat(StrEnum):
    """The names of glassline.data.annotations.FORMATS, repeated so that --help needs no heavy import."""

    coco = "coco"
    voc = "voc"
    cvat = "cvat"
    label_studio = "label-studio"


class Pictures(StrEnum):
    """Which pictures go out."""

    clean = "clean"
    marked = "marked"


def propose(
    captures: Annotated[str, typer.Argument(help="Folder or S3 URL of captures.")],
    format: Annotated[BoxFormat, typer.Option("--format", help="Format of the annotations.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for pictures and annotations.")],
    depth_window: Annotated[tuple[int, int], typer.Option(help="Grey levels that become 0 and 255 in the pictures.")],
    pictures: Annotated[Pictures, typer.Option(help="Clean zones, or marked ones to draw on.")] = Pictures.clean,
    model: Annotated[str, typer.Option(help="The current model, or path or S3 URL of a bundle.zip.")] = "classical",
) -> None:
    """Write every zone as a PNG with the boxes that the current model proposes.

    Example: glassline propose captures/ --format cvat --depth-window 0 1500 --out proposals/
    """
    from rich.console import Console

    from glassline.data.captures.store import open_captures
    from glassline.vision.current_model import current_model
    from glassline.vision.propose import ProposeSettings, write_proposals
    from glassline_cli.progress import progress_of

    console = Console()
    settings = ProposeSettings.parse({"depth_window": depth_window, "pictures": pictures.value})
    opened = open_captures(captures)
    with progress_of("looking at zones", console) as report:
        images = write_proposals(opened, opened.zones(), format.value, current_model(model), settings, out, report)
    console.print(f"{len(images)} zones, {sum(len(image.boxes) for image in images)} boxes")
    console.print(f"written: {out}", markup=False, soft_wrap=True)
