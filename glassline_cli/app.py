"""The command line `glassline`; every command imports what it needs when it runs."""

import sys

import typer
from rich.console import Console

from glassline.errors import GlasslineError
from glassline_cli.capture import capture
from glassline_cli.captures import app as captures
from glassline_cli.detect import detect
from glassline_cli.enrol import enrol
from glassline_cli.import_data import import_data
from glassline_cli.ingest import ingest
from glassline_cli.inspect import inspect
from glassline_cli.learning_curve import learning_curve
from glassline_cli.metrics import metrics
from glassline_cli.models import models
from glassline_cli.propose import propose
from glassline_cli.rig import rig_check, rig_simulator
from glassline_cli.root_cause import root_cause
from glassline_cli.run import compile_, run, submit
from glassline_cli.severity import severity
from glassline_cli.simulate import app as simulate
from glassline_cli.step import step

app = typer.Typer(
    name="glassline",
    help="Defect inspection for smartphone cover glass: from optical rig to exported inspector.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run)
app.command("compile")(compile_)
app.command("submit")(submit)
app.command("import")(import_data)
app.command("capture")(capture)
app.command("ingest")(ingest)
app.add_typer(simulate, name="simulate")
app.add_typer(captures, name="captures")
app.command("propose")(propose)
app.command("inspect")(inspect)
app.command("rig-simulator")(rig_simulator)
app.command("rig-check")(rig_check)
app.command("enrol")(enrol)
app.command("detect")(detect)
app.command("severity")(severity)
app.command("root-cause")(root_cause)
app.command("models")(models)
app.command("metrics")(metrics)
app.command("learning-curve")(learning_curve)
app.command("step")(step)


def main() -> None:
    """Run the command line; what a user can mend is one line and exit code 1."""
    try:
        app()
    except GlasslineError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
