"""`glassline run`, `compile`, `submit`: pipelines on this machine, as YAML, on a cluster."""

import shlex
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from glassline.errors import SettingsError, TrackingError
from glassline_cli.overrides import with_overrides

if TYPE_CHECKING:
    from glassline_cli.local_run import LocalResult

MODEL_COLUMNS = ("accuracy", "macro_precision", "macro_recall", "macro_f1")

SETTINGS = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="override a setting, dotted: training.epochs=5 (repeatable)"),
]
PRESET = Annotated[str, typer.Option(help="smoke, demo or full; of retrain also captures-smoke and so on")]


def _settings(pipeline: str, preset: str, overrides: list[str] | None) -> Any:
    from pipelines.catalogue import find

    presets = find(pipeline).presets
    if preset not in presets:
        raise SettingsError(f"--preset must be one of {', '.join(presets)}, got {preset!r}; choose one of them")
    return with_overrides(presets[preset](), overrides or [])


def run(
    pipeline: Annotated[str, typer.Argument(help="retrain, capture, end_to_end, transfer or root_cause")],
    out: Annotated[Path, typer.Option(help="folder for MLflow, artifacts, report and log")],
    preset: PRESET = "smoke",
    data: Annotated[
        str | None, typer.Option(help="folder of images, label file or rig session; without it, data is simulated")
    ] = None,
    overrides: SETTINGS = None,
    experiment: Annotated[str, typer.Option(help="MLflow experiment")] = "glassline",
) -> None:
    """Run a pipeline on this machine, without server or container engine.

    A killed run continues when the same command is given again. MLFLOW_TRACKING_URI chooses another
    tracking server than the SQLite file in --out.

    Example: glassline run retrain --preset demo --data tiles --set data_format=mask-folder --out runs/tiles
    """
    from glassline.data.storage import check_apart
    from glassline_cli.local_run import run_locally
    from glassline_cli.simulated import simulated_data
    from pipelines.catalogue import find

    settings = _settings(pipeline, preset, overrides)
    if data is not None and "://" not in data:
        check_apart(out, Path(data))
        data = str(Path(data).absolute())
    source = data or str(simulated_data(settings.simulated, preset, settings.seed, out).absolute())
    arguments = settings.arguments(source, settings.hash_of(source), str((out / "store").absolute()))
    tags = {name: arguments[name] for name in ("product", "cycle") if name in arguments}
    result = run_locally(pipeline, find(pipeline).load(), arguments, out, experiment, {"preset": preset, **tags})
    _show(result, out)


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


def compile_(
    pipeline: Annotated[str | None, typer.Argument(help="pipeline name")] = None,
    every: Annotated[bool, typer.Option("--all", help="compile every pipeline")] = False,
    out: Annotated[Path | None, typer.Option(help="folder for the YAML; default: pipelines/compiled")] = None,
) -> None:
    """Compile a pipeline to YAML for a cluster.

    GLASSLINE_IMAGE_PREFIX and GLASSLINE_IMAGE_TAG choose the images; GLASSLINE_IMAGE_VISION and
    GLASSLINE_IMAGE_TRAINING replace one of them, for a digest.

    Example: glassline compile retrain --out build
    """
    from pipelines.catalogue import COMPILED, PIPELINES, compile_pipeline

    if every == (pipeline is not None):
        raise SettingsError("compile takes either a pipeline name or --all; try `glassline compile retrain`")
    for name in PIPELINES if every else [str(pipeline)]:
        typer.echo(compile_pipeline(name, out or COMPILED))


def submit(
    pipeline: Annotated[str, typer.Argument(help="pipeline name")],
    host: Annotated[str, typer.Option(help="URL of the Kubeflow Pipelines API")],
    data: Annotated[str, typer.Option(help="folder of images, label file or rig session as the cluster sees it")],
    store: Annotated[str, typer.Option(help="folder for shards as the cluster sees it")],
    preset: PRESET = "full",
    experiment: Annotated[str, typer.Option(help="Kubeflow experiment")] = "glassline",
    data_hash: Annotated[
        str, typer.Option(help="SHA-256 of the data; keys the cache, without it nothing is cached")
    ] = "",
    overrides: SETTINGS = None,
) -> None:
    """Submit a pipeline to a cluster and print the link to its run.

    Example: glassline submit retrain --host https://kfp.example --data /data/cycle-7 --store /data/store
    """
    import tempfile

    from pipelines.catalogue import compile_pipeline

    settings = _settings(pipeline, preset, overrides)
    arguments = settings.arguments(data, data_hash, store)
    with tempfile.TemporaryDirectory() as folder:
        package = compile_pipeline(pipeline, Path(folder))
        if not data_hash:
            _forbid_caching(package)
        typer.echo(
            _create_run(host, str(package), arguments, experiment, f"{pipeline} {time.strftime('%Y-%m-%d %H:%M')}")
        )


def _forbid_caching(package: Path) -> None:
    """Switch the cache off in compiled YAML: knowing data by its address only, it would serve older data's results.

    The client's own switch does not reach tasks inside an exit handler.
    """
    import yaml

    documents = list(yaml.safe_load_all(package.read_text()))
    left: list[Any] = list(documents)
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if "cachingOptions" in node:
                node["cachingOptions"] = {}
            left += node.values()
        elif isinstance(node, list):
            left += node
    package.write_text(yaml.safe_dump_all(documents, sort_keys=False))


def _create_run(host: str, package: str, arguments: dict[str, Any], experiment: str, name: str) -> str:
    """Create the run on the cluster and return its link."""
    import kfp
    import kfp_server_api
    import urllib3

    from glassline.tracking import without_secret

    warnings.filterwarnings("ignore", "This client only works with Kubeflow Pipeline", FutureWarning)
    try:
        client = kfp.Client(host=host)
        created = client.create_run_from_pipeline_package(
            package,
            arguments=arguments,
            run_name=name,
            experiment_name=experiment,
        )
    except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        first = without_secret(str(error).partition("\n")[0])[:200]
        raise TrackingError(
            f"--host must be a Kubeflow Pipelines API that answers, got {without_secret(host)} ({first}); check it"
        ) from None
    return f"{host.rstrip('/')}/#/runs/details/{created.run_id}"
