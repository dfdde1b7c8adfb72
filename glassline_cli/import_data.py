"""`glassline import`: labelled images on disk become a sample table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from glassline.data.samples import SampleTable

#: The names of glassline.data.importers.LAYOUTS, repeated so that --help needs no heavy import; a test compares.
FORMATS = ("image-folder", "mask-folder", "dagm", "coco", "voc", "cvat", "label-studio", "captures")


def import_data(
    source: Annotated[str, typer.Argument(help="Folder of labelled images, or their label file; a path or s3://…")],
    format: Annotated[str, typer.Option("--format", help=f"Layout: {', '.join(FORMATS)}.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for samples.parquet.")],
    product: Annotated[str, typer.Option(help="Product of images that do not name theirs.")] = "",
    cycle: Annotated[str, typer.Option(help="Product cycle of images that do not name theirs.")] = "",
    clean_class: Annotated[str, typer.Option(help="Class without a defect, where the layout does not tell.")] = "",
) -> None:
    """Import labelled images as a sample table.

    Writes OUT/samples.parquet; images stay where they are and are referenced. Bad records are listed and
    nothing is written.

    Example: glassline import photos/ --format image-folder --out data/ --product P1 --cycle 2026a
    """
    from rich.console import Console

    from glassline.data.importers import read_source
    from glassline.data.storage import check_apart
    from glassline_cli.progress import progress_of

    check_apart(out, Path(source))
    console = Console()
    with progress_of("reading images", console) as report:
        table = read_source(source, format, product=product, cycle=cycle, clean_class=clean_class, progress=report)
    target = out / "samples.parquet"
    table.write(target)
    _print_summary(console, table, target)


def _print_summary(console: "Console", table: "SampleTable", target: Path) -> None:
    from rich.markup import escape
    from rich.table import Table

    from glassline.data.importers import duplicate_groups

    rows = table.rows
    summary = Table("class", "images", "groups", "with mask", "with objects")
    for label in table.classes:
        own = rows[rows["label"] == label]
        name = f"{label} (clean)" if label == table.clean_class else label
        counts = (len(own), own["group"].nunique(), (own["mask"] != "").sum(), (~own["objects"].isin(["", "[]"])).sum())
        summary.add_row(escape(name), *map(str, counts))
    console.print(summary)
    same = duplicate_groups(table)
    for ids in same[:10]:
        console.print(f"same content, kept in one group: {', '.join(ids)}", markup=False)
    console.print(f"{len(rows)} images, {rows['group'].nunique()} groups, {len(same)} contents found more than once")
    console.print(f"table hash {table.content_hash()}", soft_wrap=True)
    console.print(f"written: {target}", markup=False, soft_wrap=True)
