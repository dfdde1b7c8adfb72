"""`glassline models`: what can be trained."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table


def models(as_json: Annotated[bool, typer.Option("--json", help="print one JSON list")] = False) -> None:
    """List every model at its default setting: source, parameters, operations, input and receptive field.

    gflop counts 10^9 multiplications and additions, each counted, for one patch. sees_px is the edge of what one output
    pixel of a segmentation network depends on.

    Example: glassline models --json
    """
    from glassline.models.registry import describe_all

    rows = describe_all()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table()
    for name in ("name", "source", "parameters", "gflop", "input_shape", "sees_px"):
        table.add_column(name, justify="right" if name in {"parameters", "gflop", "sees_px"} else "left")
    for row in rows:
        shape = ", ".join(f"{name} {size}" for name, size in row["input_shape"].items())
        sees = f"{row['receptive_field_px']:,}" if row["receptive_field_px"] else ""
        table.add_row(row["name"], row["source"], f"{row['parameters']:,}", f"{row['gflop']:.4f}", shape, sees)
    Console().print(table)
