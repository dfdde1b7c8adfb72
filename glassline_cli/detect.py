"""`glassline detect`: images in, defects with severity and type out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Arithmetic(StrEnum):
    """The names of glassline.deploy.detector.DetectorPrecision, repeated so that --help needs no heavy import."""

    f32 = "f32"
    bf16 = "bf16"
    int8 = "int8"


def detect(
    images: Annotated[list[Path], typer.Argument(help="Image files: JPEG, PNG, BMP, TIFF, .npy.")],
    bundle: Annotated[str, typer.Option("--bundle", help="bundle.zip of a severity detector: path or S3 URL.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for defects.csv and one folder per image.")],
    pitch_um: Annotated[
        float | None, typer.Option(min=0.001, help="Pixel pitch on the glass; the bundle's by default.")
    ] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the runtime; 0 lets it choose.")] = 0,
    precision: Annotated[
        Arithmetic, typer.Option(help="bf16 and int8 are faster; what they cost stands on the bundle's card.")
    ] = Arithmetic.f32,
) -> None:
    """Detect defects: where, how severe, of which type, how large. Exit code 1 when an image could not be read.

    Example: glassline detect frames/*.png --bundle bundle.zip --out found/
    """
    import pandas as pd
    from rich.console import Console

    from glassline.data.storage import written_whole
    from glassline.deploy.bundle import fetch_bundle
    from glassline.deploy.detection import detect_image, forget, no_rows
    from glassline.deploy.detector import Detector
    from glassline.errors import DataError

    console, errors = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
    names = [image.name for image in images]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"images must differ in name, which names their folders, got {repeated[0]} twice; rename one")
    detector = Detector(fetch_bundle(bundle), threads, precision.value)
    rows, refused = [], 0
    try:
        for image in images:
            try:
                found = detect_image(image, detector, out / image.name, pitch_um)
            except DataError as error:
                refused += 1
                forget(out / image.name)
                errors.print(f"error: {error}", style="red", markup=False)
                continue
            rows.append(found.rows)
            count = len(found.defects)
            worst = f", severity up to {found.defects[0].severity_max:.1f}" if found.defects else ""
            console.print(f"{image}: {count} defect{'s' * (count != 1)}{worst}", markup=False)
    finally:  # a table of an earlier call would tell of other images
        with written_whole(out / "defects.csv") as beside:
            pd.concat([no_rows(), *rows], ignore_index=True).to_csv(beside, index=False)
    console.print(f"written: {out}", markup=False)
    if refused:
        errors.print(f"error: {refused} of {len(images)} images refused", style="red", markup=False)
        raise typer.Exit(1)
