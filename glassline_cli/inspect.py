"""`glassline inspect`: captures of glasses in, verdicts and overlays out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Arithmetic(StrEnum):
    """The names of glassline.deploy.graphs.Precision, repeated so that --help needs no heavy import."""

    f32 = "f32"
    bf16 = "bf16"


def inspect(
    captures: Annotated[str, typer.Argument(help="Folder or S3 URL of captures.")],
    bundle: Annotated[str, typer.Option("--bundle", help="bundle.zip of a segmentation network: path or S3 URL.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for one folder per glass.")],
    glass: Annotated[list[str] | None, typer.Option(help="Glass to inspect, repeatable; all by default.")] = None,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the runtime; 0 lets it choose.")] = 0,
    precision: Annotated[
        Arithmetic, typer.Option(help="bf16 is faster where the CPU and OpenVINO have it.")
    ] = Arithmetic.f32,
) -> None:
    """Judge glasses: good, defective or refused. Exit code 1 when any is refused.

    Example: glassline inspect captures/ --bundle bundle.zip --glass G0001 --out verdicts/
    """
    from rich.console import Console

    from glassline.data.captures.store import open_captures
    from glassline.deploy.bundle import fetch_bundle
    from glassline.deploy.inspector import inspect_glass
    from glassline.deploy.segmenter import Segmenter
    from glassline.errors import DataError

    console, errors = Console(soft_wrap=True, highlight=False), Console(stderr=True, soft_wrap=True, highlight=False)
    segmenter, opened = Segmenter(fetch_bundle(bundle), threads, precision.value), open_captures(captures)
    glasses = glass or sorted({ref.glass for ref in [*opened.zones(), *opened.unfinished()] if ref.kind == "clean"})
    if not glasses:
        raise DataError(f"captures must have at least one clean zone, got none below {opened.location.url}; check it")
    refused = 0
    for name in glasses:
        verdict = inspect_glass(opened, name, segmenter, out)
        count = sum(len(zone.scratches) for zone in verdict.zones)
        told = f"{name}: {verdict.verdict}, {len(verdict.zones)} zones, {count} scratches, {verdict.seconds:.1f} s"
        console.print(told, markup=False)
        if verdict.verdict == "refused":
            refused += 1
            errors.print(f"error: {name}: {verdict.reason}", style="red", markup=False)
    console.print(f"written: {out}", markup=False)
    if refused:
        errors.print(f"error: {refused} of {len(glasses)} glasses refused", style="red", markup=False)
        raise typer.Exit(1)
