"""The command line within this process."""

import typer
from click.testing import Result
from typer.testing import CliRunner


def invoke(app: typer.Typer, *words: object) -> Result:
    """Return what an app does with words."""
    return CliRunner().invoke(app, [str(word) for word in words])
