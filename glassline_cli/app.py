"""The command line `glassline`; every command imports what it needs when it runs."""

import sys

import typer
from rich.console import Console

from glassline.errors import GlasslineError, SettingsError
from glassline.processes import tells_failure, torchrun
from glassline_cli.bench import bench
from glassline_cli.capture import capture
from glassline_cli.captures import app as captures
from glassline_cli.compile import compile_
from glassline_cli.cycle import cycle
from glassline_cli.enrol import enrol
from glassline_cli.import_data import import_data
from glassline_cli.ingest import ingest
from glassline_cli.inspect import inspect
from glassline_cli.learning_curve import learning_curve
from glassline_cli.metrics import metrics
from glassline_cli.models import models
from glassline_cli.propose import propose
from glassline_cli.release import release
from glassline_cli.rig import rig_check, rig_simulator
from glassline_cli.rollback import rollback
from glassline_cli.root_cause import root_cause
from glassline_cli.run import run
from glassline_cli.severity import severity
from glassline_cli.simulate import app as simulate
from glassline_cli.stack import app as stack
from glassline_cli.step import step
from glassline_cli.submit import submit
from glassline_cli.tune import tune

app = typer.Typer(
    name="glassline",
    help="Defect inspection for smartphone cover glass: from optical rig to exported inspector.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("run")(run)
app.command("cycle")(cycle)
app.command("compile")(compile_)
app.command("submit")(submit)
app.command("release")(release)
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
app.command("rollback")(rollback)
app.command("severity")(severity)
app.command("root-cause")(root_cause)
app.command("models")(models)
app.command("metrics")(metrics)
app.command("bench")(bench)
app.command("learning-curve")(learning_curve)
app.command("tune")(tune)
app.command("step")(step)
app.add_typer(stack, name="stack")

_OURS = {"glassline", "glassline_cli", "components", "pipelines", "hardware_ingest"}


def main() -> None:
    """Run the command line; what a user can mend is one line and the error's exit code."""
    try:
        started = torchrun()
        if started and started.count > 1 and sys.argv[1:2] != ["step"]:
            raise SettingsError("torchrun starts one step, got another command; start it without torchrun")
        app()
    except GlasslineError as error:
        if tells_failure():
            Console(stderr=True, soft_wrap=True, highlight=False).print(f"error: {error}", style="red", markup=False)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in _OURS:
            raise
        typer.secho(
            f"error: this command needs {error.name}, which is not installed; pip install 'glassline[steps,training,"
            "report,pipelines]', or what of it docs name for the command", fg="red", err=True,
        )  # fmt: skip
        sys.exit(1)
    except Exception:
        if tells_failure():
            raise
        sys.exit(1)
