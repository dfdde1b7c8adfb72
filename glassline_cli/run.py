"""`glassline run`: a pipeline on this machine."""

import shlex
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from glassline.errors import SettingsError
from glassline_cli.overrides import with_overrides

if TYPE_CHECKING:
    from glassline_cli.local_run import LocalResult

MODEL_COLUMNS = ("accuracy", "macro_precision", "macro_recall", "macro_f1")

SETTINGS = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="override a setting, dotted: training.epochs=5 (repeatable)"),
]
PRESET = Annotated[str, typer.Option(help="smoke, demo or full; of retrain also captures-smoke and so on")]


def preset_settings(pipeline: str, preset: str, overrides: list[str] | None) -> Any:
    """Return the settings of a pipeline's preset with overrides applied."""
    from pipelines.catalogue import find

    presets = find(pipeline).presets
    if preset not in presets:
        raise SettingsError(f"--preset must be one of {', '.join(presets)}, got {preset!r}; choose one of them")
    return with_overrides(presets[preset](), overrides or [])


def run(
    pipeline: Annotated[
        str, typer.Argument(help="retrain, new_cycle, capture, end_to_end, transfer, root_cause or benchmark")
    ],
    out: Annotated[Path, typer.Option(help="folder for MLflow, artifacts, report and log")],
    preset: PRESET = "smoke",
    data: Annotated[
        str | None,
        typer.Option(help="images, label file or rig session, a path or s3://…; without it, data is simulated"),
    ] = None,
    store: Annotated[
        str | None, typer.Option(help="folder or s3://… for shards and checkpoints; store in --out without it")
    ] = None,
    overrides: SETTINGS = None,
    experiment: Annotated[
        str | None, typer.Option(help="MLflow experiment; without it, glassline-PRODUCT, where there is a product")
    ] = None,
    runner: Annotated[
        Literal["subprocess", "docker"], typer.Option(help="docker runs every step in its image, after `make images`")
    ] = "subprocess",
) -> None:
    """Run a pipeline on this machine; unless told otherwise, without server or container engine.

    A killed run continues when the same command is given again. MLFLOW_TRACKING_URI chooses another
    tracking server than the SQLite file in --out.

    Example: glassline run retrain --preset demo --data tiles --set data_format=mask-folder --out runs/tiles
    """
    from glassline.data.storage import check_apart
    from glassline.data.store import open_store
    from glassline.tracking import product_experiment
    from glassline.tracking.lock import product_lock
    from glassline_cli.local_run import run_locally
    from glassline_cli.simulated import simulated_data
    from pipelines.catalogue import find

    settings = preset_settings(pipeline, preset, overrides)
    if data is not None and "://" not in data:
        check_apart(out, Path(data))
        data = str(Path(data).absolute())
    source = data or str(simulated_data(settings.simulated, preset, settings.seed, out).absolute())
    kept = open_store(store or out / "store").url
    arguments = settings.arguments(source, settings.hash_of(source), kept)
    tags = {name: arguments[name] for name in ("product", "cycle") if name in arguments}
    kept_in = experiment or product_experiment(_product(arguments))
    registered = arguments.get("registered_model")  # of one product's classifier, one run at a time moves the champion
    result = run_locally(
        pipeline, find(pipeline).load(), arguments, out, kept_in, {"preset": preset, **tags}, runner,
        partial(product_lock, registered) if registered else nullcontext,
    )  # fmt: skip
    _show(result, out)


def _product(arguments: Mapping[str, Any]) -> str:
    """Return the product of a run: as stated, or as its registered model is named; "" where there is none."""
    named = str(arguments.get("registered_model", "")).removeprefix("glassline-")
    return str(arguments.get("product", named))


def _show(result: "LocalResult", out: Path) -> None:
    """Print the table of models, or else the run's metrics, what the run keeps, and how to open MLflow."""
    from glassline.tracking import fetch_artifact

    console = Console(soft_wrap=True, highlight=False)
    console.print(_model_table(result.models) if result.models else _metric_table(result.metrics))
    share = result.outside_seconds / result.wall_seconds
    console.print(f"{result.steps} steps in {result.wall_seconds:.0f} s, {share:.0%} of it outside the steps")
    for name in result.files:
        console.print(f"{Path(name).stem}: {fetch_artifact(result.run_id, name, out)}", markup=False)
    console.print(f"MLflow: {_open_mlflow(result.tracking_uri)}", markup=False)


def _model_table(models: dict[str, dict[str, float]]) -> Table:
    table = Table(title="cross-validation, all folds pooled")
    table.add_column("model")
    for name in MODEL_COLUMNS:
        table.add_column(name, justify="right")
    for name, metrics in models.items():
        table.add_row(name, *(f"{metrics[column]:.4f}" if column in metrics else "" for column in MODEL_COLUMNS))
    return table


def _metric_table(metrics: dict[str, float]) -> Table:
    table = Table("metric", "value")
    for name, value in sorted(metrics.items()):
        table.add_row(name, f"{value:.4g}")
    return table


def _open_mlflow(uri: str) -> str:
    """Return the command that opens a local store, or the address of a server."""
    from glassline.tracking import without_secret

    if not uri.startswith("sqlite:"):
        return without_secret(uri)
    return shlex.join([str(Path(sys.executable).with_name("mlflow")), "ui", "--backend-store-uri", uri])
