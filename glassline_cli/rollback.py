"""`glassline rollback`: the champion before this one is the champion again."""

from typing import Annotated

import typer


def rollback(
    product: Annotated[str, typer.Argument(help="product whose champion goes back to the one before")],
) -> None:
    """Move `champion` back to the version that this one took over from, once its bundle proves whole.

    Given again, it goes further back. The tracking server is that of MLFLOW_TRACKING_URI.
    """
    from glassline.tracking.rollback import roll_back

    done = roll_back(f"glassline-{product}")
    told = done.now.tags
    typer.echo(f"champion of {product}: version {done.now.version}, before that version {done.before.version}")
    typer.echo(
        f"  cycle {told.get('cycle') or 'unknown'}, model {told.get('model') or 'unknown'}, data "
        f"{told.get('data_hash', '')[:16] or 'unknown'}, run {done.now.export_run}"
    )
