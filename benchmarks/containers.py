"""Every component of every pipeline, and every method, in its image, beside the same runs in processes.

    python benchmarks/containers.py --out runs/containers --place s3://bucket/ci

Fails when a component of a pipeline was not executed in its image, or when a metric, a content hash or a model differs.
"""

import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from mlflow import MlflowClient
from rich.console import Console
from rich.table import Table

from components.imports import component_image
from glassline.data.location import open_location
from glassline.data.source_list import LIST, read_source_list
from glassline.data.storage import sha256_file
from glassline.models.settings import COMPARATOR_NAMES, MODEL_NAMES
from glassline_cli.simulated import simulated_data
from pipelines.catalogue import PIPELINES, compiled_components

_METHODS = ", ".join(name for name in (*MODEL_NAMES, *COMPARATOR_NAMES) if name != "transfer")

#: So that every step of every pipeline runs, and every method.
_ALL = {
    "capture": ["proposals=true"],
    "retrain": [f"models=[{_METHODS}]"],
    "end_to_end": ["capture.proposals=true", f"retrain.models=[{_METHODS}]"],
    "benchmark": ["entries=[a-table-3, c-fig-7]"],
}

#: Setting that names the product, of pipelines whose candidates are compared with its champion.
_PRODUCT = {"retrain": "product", "end_to_end": "retrain.product", "new_cycle": "product"}

#: `capture` and `retrain` lie inside `end_to_end`, but for the import of images, which `transfer` has.
_COVERING = ("end_to_end", "new_cycle", "transfer", "root_cause", "benchmark")

#: Figures that are of the machine and the moment, not of the method.
_OF_THE_MOMENT = ("seconds", "_per_s", "memory", "latency")

#: Pipelines that train.
_TRAINING = ("retrain", "end_to_end", "new_cycle", "transfer")

_TRAINED = (".safetensors", ".onnx")


@dataclass
class Ran:
    """What a run left.

    Attributes:
        seconds: Wall time.
        figures: Metrics and parameters by run and name.
        models: SHA-256 of trained weights and graphs by step and file.
        images: Image that each step ran in, "" for none.
        steps: How many steps ran.
        ended: How the tries of each step ended, as MLflow tells.
    """

    seconds: float
    figures: dict[str, Any] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    steps: int = 0
    ended: dict[str, list[str]] = field(default_factory=dict)


def main(
    out: Annotated[Path, typer.Option(help="folder for the runs")],
    place: Annotated[str, typer.Option(help="S3 URL for data and store of the containers; '' keeps them here")] = "",
    pipelines: Annotated[list[str] | None, typer.Option("--pipeline", help="default: what holds all")] = None,
    alone: Annotated[list[str] | None, typer.Option(help="pipelines that are not run in processes too")] = None,
) -> None:
    """Run each pipeline in processes and in containers, and compare."""
    table = Table("pipeline", "steps", "processes (s)", "containers (s)", "figures", "models", "different")
    faults: list[str] = []
    executed: set[str] = set()
    for name in pipelines or _COVERING:
        settings = [*_ALL.get(name, []), *new_product(name)]
        contained = run_pipeline(name, out / "containers" / name, "docker", place, settings)
        found, plain = [*_not_in_their_image(name, contained)], contained
        if name not in (alone or []):
            plain = run_pipeline(name, out / "processes" / name, "subprocess", "", settings)
            found += different(plain, contained)
        faults += [f"{name}: {fault}" for fault in found]
        executed |= set(contained.images)
        table.add_row(
            name, str(contained.steps), "" if plain is contained else f"{plain.seconds:.0f}",
            f"{contained.seconds:.0f}", str(len(plain.figures)),
            str(len(plain.models)), str(len(found)),
        )  # fmt: skip
    Console(width=120).print(table)
    if not pipelines:
        every = {component for name in PIPELINES for component in compiled_components(name)}
        faults += [f"{component} was not executed" for component in sorted(every - executed)]
    if place:
        faults += _not_in_s3(place)
    if faults:
        sys.exit("\n".join(faults))


def new_product(name: str) -> list[str]:
    """Return the setting that gives a pipeline a product without champion: one server remembers earlier runs."""
    return [f"{_PRODUCT[name]}=product-{time.time_ns()}"] if name in _PRODUCT else []


def _not_in_s3(place: str) -> Iterator[str]:
    """Yield what the containers should have left in the object store, and did not."""
    bucket = "/".join(place.split("/")[:3])
    for url, what in (
        (f"{place}/store", "patches/"),
        (f"{place}/store", "captures/"),
        (f"{bucket}/mlflow", "report.html"),
    ):
        if not any(what in entry.name for entry in open_location(url).entries()):
            yield f"{url} must hold {what}, got nothing of it"


def run_pipeline(name: str, out: Path, runner: str, place: str, settings: list[str]) -> Ran:
    """Run a pipeline's smoke preset to its end and return what it left.

    Args:
        name: Pipeline.
        out: Folder of the run; an older one is removed.
        runner: `subprocess`, with an MLflow of its own, or `docker`, with that of the environment.
        place: S3 URL for data and store, "" for this machine.
        settings: What differs from the preset, `key=value`.
    """
    shutil.rmtree(out, ignore_errors=True)
    environment = {key: value for key, value in os.environ.items() if runner == "docker" or "MLFLOW" not in key}
    command = [sys.executable, "-m", "glassline_cli", "run", name, "--out", str(out), "--runner", runner]
    command += ["--experiment", f"{runner} {name}", *(word for one in settings for word in ("--set", one))]
    if place:
        command += ["--store", f"{place}/store", *_sent(name, out, place)]
    started = time.perf_counter()
    subprocess.run(command, check=True, env=environment)
    ran = Ran(time.perf_counter() - started)
    uri = environment.get("MLFLOW_TRACKING_URI", f"sqlite:///{out.absolute() / 'mlflow.db'}")
    _read_figures(ran, MlflowClient(uri), f"{runner} {name}", [str(out.absolute()), *([place] if place else [])])
    if any(out.glob("artifacts/*/close-run/executor_output.json")):  # it closes the run and opens none of its own
        ran.images["close_run"] = component_image("close_run")
    for path in sorted(out.glob("artifacts/*/**/*")):
        if path.suffix in _TRAINED:
            ran.models["/".join(path.relative_to(out / "artifacts").parts[1:])] = sha256_file(path)
    return ran


def _sent(name: str, out: Path, place: str) -> Iterator[str]:
    """Simulate the data of a run, send it to the object store, and yield what names it there."""
    preset = PIPELINES[name].presets["smoke"]()
    data = simulated_data(preset.simulated, "smoke", preset.seed, out)
    there = open_location(f"{place}/data/{name}")
    for path in sorted((out / "simulated").rglob("*")):
        if path.is_file():
            there.upload(path, path.relative_to(out / "simulated").as_posix())
    url = f"{there.url}/{data.relative_to(out / 'simulated').as_posix()}"
    yield from ("--data", url)
    if (data / LIST).is_file():
        root = f"{there.url}/{data.parent.name}"
        entries = [one.model_dump(mode="json") for one in read_source_list(data / LIST)]
        told = out / LIST
        told.write_text(yaml.safe_dump([{**one, "data": f"{root}/{Path(one['data']).name}"} for one in entries]))
        yield from ("--set", f"sources={told.absolute()}")


def _read_figures(ran: Ran, client: MlflowClient, experiment: str, places: list[str]) -> None:
    found = client.get_experiment_by_name(experiment)
    assert found
    runs = client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"], max_results=5000)
    top = [run for run in runs if "mlflow.parentRunId" not in run.data.tags][-1]
    below: dict[str, list[Any]] = {}
    for run in runs:
        below.setdefault(run.data.tags.get("mlflow.parentRunId", ""), []).append(run)
    left = [(top, "")]
    while left:
        run, above = left.pop()
        if step := run.data.tags.get("glassline.step"):
            ran.ended.setdefault(step, []).append(run.info.status)
        if run.info.status != "FINISHED":  # a killed try: another one took its place
            continue
        where = f"{above}/{run.info.run_name}"
        told = {name: value for name, value in run.data.metrics.items() if not _of_the_moment(name)}
        told |= {name: value for name, value in run.data.params.items() if not any(one in value for one in places)}
        ran.figures |= {f"{where} {name}": value for name, value in told.items()}
        if step:
            ran.steps += 1
            ran.images[step] = run.data.tags.get("glassline.image", "")
        left += [(child, where) for child in below.get(run.info.run_id, [])]


def _of_the_moment(name: str) -> bool:
    return any(part in name for part in _OF_THE_MOMENT)


def _not_in_their_image(name: str, ran: Ran) -> Iterator[str]:
    if name in _TRAINING and not ran.models:
        yield "it trains, but left no weights"
    for component in sorted(compiled_components(name)):
        wanted, image = component_image(component), ran.images.get(component)
        if image is None:
            yield f"{component} was not executed"
        elif image != wanted:
            yield f"{component} must run in the image {wanted}, got {image or 'none'}"


def different(plain: Ran, contained: Ran) -> Iterator[str]:
    """Yield every figure and model that differs between two runs."""
    if not plain.figures:
        yield "a run must leave figures, got none"
    for one, other in ((plain.figures, contained.figures), (plain.models, contained.models)):
        for key in sorted({*one, *other}):
            if not _same(one.get(key), other.get(key)):
                yield f"{key} is {one.get(key)} in a process, {other.get(key)} in a container"


def _same(one: Any, other: Any) -> bool:
    """Tell whether two figures are the same; the last digit of a sum in linear algebra may differ from call to call."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


if __name__ == "__main__":
    typer.run(main)
