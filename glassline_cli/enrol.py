"""`glassline enrol`: a new defect class from a few images, without training."""

from pathlib import Path
from typing import Annotated

import typer

from glassline_cli.import_data import FORMATS


def enrol(
    bundle: Annotated[str, typer.Argument(help="bundle.zip of triplet or siamese: path or S3 URL.")],
    source: Annotated[str, typer.Argument(help="Folder of labelled images or their label file.")],
    format: Annotated[str, typer.Option("--format", help=f"Layout: {', '.join(FORMATS)}.")],
    label: Annotated[str, typer.Option("--label", help="The new class, as the images are labelled.")],
    out: Annotated[Path, typer.Option("--out", help="The bundle to write; the old one stays.")],
) -> None:
    """Add a class to a bundle: its samples become references, nothing is trained.

    Masks and boxes say where the defect is; in an image without either, the strongest candidate is taken. Measure the
    new class on other images of it before the line relies on it: the bundle's figures were taken without it.

    Example: glassline enrol bundle.zip stains/ --format mask-folder --label stain --out bundle-stain.zip
    """
    from rich.console import Console

    from glassline.data.importers import read_source
    from glassline.data.storage import check_apart
    from glassline.deploy.bundle import fetch_bundle
    from glassline.deploy.enrol import check_enrolable, enrol_images
    from glassline.errors import StorageError
    from glassline_cli.progress import progress_of

    check_apart(out, Path(source))
    console = Console(soft_wrap=True, highlight=False)
    if out.is_dir() or ("://" not in bundle and out.resolve() == Path(bundle).resolve()):
        raise StorageError(f"--out must be a file of its own, beside the old bundle, got {out}; name another")
    given = fetch_bundle(bundle)
    check_enrolable(given, label)
    with progress_of("reading images", console) as report:
        table = read_source(source, format, progress=report)
    with progress_of("finding candidates", console) as report:
        manifest, patches, images = enrol_images(given, table, label, out, report)
    console.print(
        f"{label}: {patches} references of {images} of {len(table.rows)} images; classes {', '.join(manifest.classes)}",
        markup=False,
    )
    console.print(f"written: {out}", markup=False)
