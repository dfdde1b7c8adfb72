"""`glassline captures`: list, show, verify, export and import what the rig has seen."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from glassline.data.captures.meta import ZoneRef
    from glassline.data.captures.store import Captures

app = typer.Typer(no_args_is_help=True, help="Look at, check and move captures of the rig.", rich_markup_mode=None)

#: glassline.data.captures.rig_folder.PATTERN, repeated so that --help needs no heavy import; a test compares.
PATTERN = "{glass}/{kind}-{zone}/{state}"

_Dir = Annotated[str, typer.Argument(metavar="DIR", help="Folder or s3://bucket/prefix of captures.")]
_Glass = Annotated[str, typer.Option("--glass", help="One glass; all by default.")]


@app.command("ls")
def list_(captures: _Dir, glass: _Glass = "") -> None:
    """List the glasses; with --glass, its zones.

    Example: glassline captures ls captures/ --glass G0001
    """
    from rich.console import Console

    opened, refs = _chosen(captures, glass)
    console = Console()
    console.print(_zones_table(opened, refs) if glass else _glasses_table(refs))
    console.print(f"glasses: {len({ref.glass for ref in refs})}, zones: {len(refs)}")


@app.command()
def show(
    captures: _Dir,
    out: Annotated[Path, typer.Option("--out", help="PNG to write.")],
    glass: _Glass = "",
) -> None:
    """Draw a contact sheet: zones down, light states across.

    Example: glassline captures show captures/ --glass G0001 --out sheet.png
    """
    from rich.console import Console

    from glassline.data.captures.sheet import write_sheet
    from glassline_cli.progress import progress_of

    opened, refs = _chosen(captures, glass)
    console = Console()
    with progress_of("reading zones", console) as report:
        black, white = write_sheet(opened, refs, out, report)
    console.print(f"written: {out} (black {black}, white {white})", markup=False, soft_wrap=True)


@app.command()
def verify(captures: _Dir, glass: _Glass = "") -> None:
    """Read every byte and compare it with what was written; exit 1 and name the zones when one has changed.

    Example: glassline captures verify s3://line1/captures
    """
    from rich.console import Console

    from glassline.errors import DataError
    from glassline_cli.progress import progress_of

    opened, refs = _chosen(captures, glass)
    console, bad = Console(), []
    for ref in opened.unfinished(glass or None):
        console.print(f"{ref.path} has no manifest.json: it is not whole", markup=False, soft_wrap=True)
        bad.append(ref.path)
    with progress_of("verifying zones", console) as report:
        for number, ref in enumerate(refs, 1):
            wrong = opened.verify(ref)
            for line in wrong:
                console.print(line, markup=False, soft_wrap=True)
            bad += [ref.path] if wrong else []
            report(number, len(refs))
    if bad:
        raise DataError(
            f"every byte of {captures} must be as it was written, got {len(bad)} changed zones of "
            f"{len(refs)}: {', '.join(bad[:20])}; copy or capture them again"
        )
    console.print(f"{len(refs)} zones are as they were written", highlight=False)
    console.print(f"content hash {opened.content_hash(refs)}", soft_wrap=True)


@app.command()
def export(
    captures: _Dir,
    out: Annotated[Path, typer.Option("--out", help="Folder for the TIFF files.")],
    glass: _Glass = "",
) -> None:
    """Write every zone as uncompressed TIFF, one file a light state: OUT/G0001/clean-03/0.tif.

    Example: glassline captures export captures/ --glass G0001 --out tiff/
    """
    from rich.console import Console

    from glassline.data.captures.tiff import export_zone
    from glassline.data.storage import check_apart
    from glassline_cli.progress import progress_of

    opened, refs = _chosen(captures, glass)
    if not captures.startswith("s3://"):
        check_apart(out, Path(captures))
    console = Console()
    with progress_of("exporting zones", console) as report:
        for number, ref in enumerate(refs, 1):
            export_zone(opened, ref, out)
            report(number, len(refs))
    console.print(f"written: {len(refs)} zones below {out}", markup=False, soft_wrap=True)


@app.command("import")
def import_(
    folder: Annotated[Path, typer.Argument(help="Folder of TIFF or PNG files, one a light state.")],
    out: Annotated[str, typer.Option("--out", help="Folder or s3://bucket/prefix of captures.")],
    meta: Annotated[Path | None, typer.Option(help="YAML file of what the files do not tell.")] = None,
    pattern: Annotated[str, typer.Option(help="Names of the files, without suffix.")] = PATTERN,
) -> None:
    """Take the frames of an existing rig into the store. Zones that are there already are compared, not written.

    The YAML file has a line for each field, and `zones:` and `glasses:` for those that differ, like
    {product: P1, cycle: 2026a, pattern: GRBG, zones: {3: {stage_x_mm: 37.0, stage_y_mm: 0}}}.
    What `captures export` wrote needs none.

    Example: glassline captures import rig/ --out captures/ --meta meta.yaml --pattern '{glass}_{kind}{zone}_led{state}'
    """
    from rich.console import Console

    from glassline.data.captures.rig_folder import import_rig_folder, read_rig_folder
    from glassline.data.captures.rig_meta import RigMeta
    from glassline.data.captures.store import open_captures
    from glassline_cli.progress import progress_of

    console = Console()
    zones = read_rig_folder(folder, RigMeta.read(meta) if meta else RigMeta(), pattern)
    with progress_of("importing zones", console) as report:
        written = import_rig_folder(zones, open_captures(out), report)
    told = f"{written} zones written, {len(zones) - written} were there already: {out}"
    console.print(told, markup=False, soft_wrap=True)


def _chosen(url: str, glass: str) -> "tuple[Captures, list[ZoneRef]]":
    from glassline.data.captures.store import open_captures
    from glassline.errors import DataError

    opened = open_captures(url)
    refs = opened.zones(glass or None)
    if not refs:
        asked = f"glass {glass}" if glass else "a glass"
        raise DataError(f"{opened.location.url} must hold a whole zone of {asked}, got none; check place and name")
    return opened, refs


def _glasses_table(refs: "list[ZoneRef]") -> "Table":
    from collections import Counter

    from rich.table import Table

    table, counts = Table("glass", "clean", "marked"), Counter((ref.glass, ref.kind) for ref in refs)
    for glass in sorted({ref.glass for ref in refs}):
        table.add_row(glass, str(counts[glass, "clean"]), str(counts[glass, "marked"]))
    return table


def _zones_table(captures: "Captures", refs: "list[ZoneRef]") -> "Table":
    from rich.markup import escape
    from rich.table import Table

    table = Table("zone", "S x H x W px", "x, y mm", "product", "taken")
    for ref in refs:
        meta, shape = captures.meta(ref), captures.shape(ref)
        cells = (
            f"{ref.kind}-{ref.zone:02d}", " x ".join(map(str, shape)), f"{meta.stage_x_mm:g}, {meta.stage_y_mm:g}",
            f"{meta.product} {meta.cycle}", meta.taken_utc,
        )  # fmt: skip
        table.add_row(*map(escape, cells))
    return table
