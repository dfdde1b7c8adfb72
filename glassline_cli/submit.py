"""`glassline submit`: a pipeline on a cluster, once or again and again; a training step on several nodes."""

import os
import re
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from glassline.errors import SettingsError
from glassline_cli.compile import CLUSTER
from glassline_cli.run import SETTINGS, preset_settings


def submit(
    target: Annotated[str, typer.Argument(metavar="PIPELINE|STEP", help="pipeline; with --nodes a training step")],
    host: Annotated[str, typer.Option(help="URL of the Kubeflow Pipelines API")] = "",
    data: Annotated[str, typer.Option(help="folder of images, label file or rig session as the cluster sees it")] = "",
    store: Annotated[str, typer.Option(help="folder for shards as the cluster sees it")] = "",
    preset: Annotated[str, typer.Option(help="as of `glassline run`; default: full")] = "",
    overrides: SETTINGS = None,
    data_hash: Annotated[
        str, typer.Option(help="SHA-256 of the data, or `auto` to read it here; without it nothing is cached")
    ] = "",
    experiment: Annotated[str, typer.Option(help="Kubeflow experiment; default: glassline")] = "",
    namespace: Annotated[str, typer.Option(help="yours, where Kubeflow keeps users apart")] = "",
    name: Annotated[str, typer.Option(help="of the run; default: pipeline and time")] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="file with the token, such as a mounted secret; default: GLASSLINE_KFP_TOKEN")
    ] = None,
    cluster: CLUSTER = None,
    package: Annotated[Path | None, typer.Option(help="YAML of a release, instead of compiling it anew")] = None,
    every: Annotated[Path | None, typer.Option(help="YAML that tells when it is run again and again")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait for its end; exit code 1 unless it succeeds")] = False,
    nodes: Annotated[int | None, typer.Option(min=1, help="write a TrainJob of STEP on so many nodes")] = None,
    processes: Annotated[
        int | None, typer.Option("--processes-per-node", min=1, help="default: one a GPU, or one")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="file for the TrainJob; default: the screen")] = None,
) -> None:
    """Submit a pipeline to a cluster and print the links to its run, or write a TrainJob for kubectl.

    Example: glassline submit retrain --host https://kfp.example --data s3://glass/cycle-7 --store s3://glass/store

    Example: glassline submit train_unet --nodes 2 --set seed=0 … | kubectl apply -f -
    """
    from glassline.tracking import without_secret
    from glassline_cli.kubeflow import Kubeflow, token_reader
    from glassline_cli.schedule import Schedule
    from glassline_cli.train_job import write_train_job
    from pipelines.cluster_settings import use_cluster

    use_cluster(cluster)
    of_runs = {"--host": host, "--data": data, "--store": store}
    if nodes is not None:
        of_pipelines = {
            "--preset": preset, "--data-hash": data_hash, "--experiment": experiment, "--namespace": namespace,
            "--token-file": token_file, "--package": package, "--every": every, "--wait": wait,
        }  # fmt: skip
        _refuse({**of_runs, **of_pipelines}, "--nodes")
        write_train_job(target, overrides or [], nodes, processes, name, out)
        return
    _refuse({"--processes-per-node": processes, "--out": out}, "a pipeline; they are of a step on several --nodes")
    _refuse({"--wait": every and wait, "--data-hash": every and data_hash}, "--every, whose runs have other data each")
    _refuse({"--cluster": package and cluster}, "--package, which was compiled for one")
    if missing := [option for option, value in of_runs.items() if not value]:
        raise SettingsError(f"submit needs {', '.join(of_runs)}; missing: {', '.join(missing)}; give them")
    schedule = Schedule.read(every) if every else None
    settings = preset_settings(target, preset or "full", overrides)
    data_hash = _checked_hash(settings, data, data_hash)
    arguments = settings.arguments(data, data_hash, store)
    kubeflow = Kubeflow(host, token_reader(token_file), namespace)
    spec = _specification(target, package, arguments, bool(data_hash))
    within = kubeflow.experiment(experiment or "glassline")
    name = name or f"{target} {time.strftime('%Y-%m-%d %H:%M')}"
    if schedule:
        typer.echo(kubeflow.recurring_link(kubeflow.repeat(name, within, spec, arguments, schedule.fields())))
    else:
        run = kubeflow.start(name, within, spec, arguments)
        typer.echo(kubeflow.run_link(run))
    if tracking := os.environ.get("MLFLOW_TRACKING_URI"):
        typer.echo(f"MLflow: {without_secret(tracking)}")
    if wait:
        kubeflow.wait(run, typer.echo)


def _refuse(options: dict[str, Any], beside: str) -> None:
    given = [option for option, value in options.items() if value]
    if given:
        raise SettingsError(f"{', '.join(given)} must not be given with {beside}; leave out one of them")


def _checked_hash(settings: Any, data: str, told: str) -> str:
    """Return the hash of the data as a run compares it: computed here for `auto`, "" where none is told.

    Raises:
        SettingsError: It is not made as those of the pipeline are.
        GlasslineError: The data cannot be read from here.
    """
    if told == "auto":
        return str(settings.hash_of(data))
    form = r"\+".join(["[0-9a-f]{64}"] * settings.hashes)
    if told and not re.fullmatch(form, told):
        raise SettingsError(
            f"--data-hash must be {'+'.join(['SHA256'] * settings.hashes)} in lower-case hexadecimal for this "
            f"pipeline, got {told!r:.150}; --data-hash auto computes it where the data can be read"
        )
    return told


def _specification(pipeline: str, package: Path | None, arguments: dict[str, Any], cached: bool) -> dict[str, Any]:
    """Return a compiled pipeline as the API takes it: what it does, and what Kubernetes is told.

    Raises:
        SettingsError: The package is no compiled pipeline, or one that takes other arguments.
    """
    from pipelines.catalogue import compile_pipeline

    with tempfile.TemporaryDirectory() as folder:
        path = package or compile_pipeline(pipeline, Path(folder))
        try:
            documents = list(yaml.safe_load_all(path.read_text()))
            taken = documents[0]["root"]["inputDefinitions"]["parameters"]
        except (OSError, ValueError, yaml.YAMLError, LookupError, TypeError):
            raise SettingsError(
                f"--package must be a compiled pipeline, got {path}; make one: glassline compile"
            ) from None
    if set(taken) != set(arguments):
        odd = ", ".join(sorted(set(taken) ^ set(arguments))[:5])
        raise SettingsError(f"--package must be {pipeline} of this version, {path} differs in {odd}; compile it anew")
    if not cached:
        _forbid_caching(documents)
    platform = {"platform_spec": documents[1]} if len(documents) > 1 else {}
    return {"pipeline_spec": documents[0], **platform}


def _forbid_caching(documents: list[Any]) -> None:
    """Switch the cache off: knowing data by its address only, it would serve older data's results."""
    left = list(documents)
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if "cachingOptions" in node:
                node["cachingOptions"] = {}
            left += node.values()
        elif isinstance(node, list):
            left += node
