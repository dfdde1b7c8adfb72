"""A run in containers while one is killed, the database of the stack restarts and its object store is away.

    make stack && set -a && . stack/client.env && set +a
    python benchmarks/faults.py --out runs/faults --place s3://glassline/faults

The same run undisturbed, in processes and without a server, tells what must come out: same metrics, same models.
"""

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import docker
import typer
from containers import Ran, different, new_product, run_pipeline
from rich.console import Console
from rich.table import Table

from glassline.data.location import open_location

_SETTINGS = ["folds=3", "training.epochs=8", "models=[cnn, svm]", "model_name=cnn", "severity=false"]


@dataclass
class Fault:
    """Something that happens once, a second after a step began."""

    what: str
    step: str
    act: Callable[[Any, Any], None]
    happened: bool = False


def main(
    out: Annotated[Path, typer.Option(help="folder for the runs")],
    place: Annotated[str, typer.Option(help="S3 URL for data and store of the disturbed run")],
    name: Annotated[str, typer.Option(help="name of the stack")] = "glassline",
    away_s: Annotated[float, typer.Option(help="seconds that the object store is away")] = 20,
) -> None:
    """Run both and compare."""
    faults = [
        Fault("its container is killed while it trains", "train_ensemble", lambda engine, one: one.kill()),
        Fault(
            "the database restarts", "train_triplet",
            lambda engine, _: _container(engine, name, "database").restart(),
        ),
        Fault(
            f"the object store is away for {away_s:.0f} s", "cross_validate",
            lambda engine, _: _away(_container(engine, name, "object-store"), away_s),
        ),
    ]  # fmt: skip
    if list(open_location(f"{place}/store").entries()):
        sys.exit(f"{place} must be empty, or finished folds would be taken from there; name another place")
    settings = [*_SETTINGS, *new_product("retrain")]
    threading.Thread(target=_watch, args=(out / "disturbed", faults), daemon=True).start()
    with ThreadPoolExecutor() as pool:
        undisturbed = pool.submit(run_pipeline, "retrain", out / "calm", "subprocess", "", settings)
        disturbed = run_pipeline("retrain", out / "disturbed", "docker", place, settings)
        calm = undisturbed.result()
    log = (out / "disturbed" / "pipeline.log").read_text()
    lost = [fault.what for fault in faults if not fault.happened] + list(different(calm, disturbed))
    if "it is started again" not in log:
        lost.append("no container was started again")
    _print(faults, disturbed, log, calm)
    if lost:
        sys.exit("\n".join(lost))


def _container(engine: Any, name: str, service: str) -> Any:
    return engine.containers.get(f"{name}-{service}")


def _away(container: Any, seconds: float) -> None:
    container.stop()
    time.sleep(seconds)
    container.start()


def _watch(out: Path, faults: list[Fault]) -> None:
    engine = docker.from_env()
    while not all(fault.happened for fault in faults):
        label = f"glassline.run={out.absolute()}"
        for one in engine.containers.list(filters={"label": label}, ignore_removed=True):
            for fault in faults:
                if not fault.happened and f"def {fault.step}(" in " ".join(one.attrs["Config"]["Cmd"] or []):
                    with suppress(docker.errors.NotFound):  # it has ended: nothing happened to it
                        _let_happen(fault, engine, one)
        time.sleep(0.3)


def _let_happen(fault: Fault, engine: Any, one: Any) -> None:
    while f"glassline> started {fault.step}".encode() not in one.logs():
        time.sleep(0.3)
    time.sleep(1)
    fault.act(engine, one)
    fault.happened = True


def _print(faults: list[Fault], disturbed: Ran, log: str, calm: Ran) -> None:
    table = Table("step", "fault", "tries of the step", "how they ended")
    for fault in faults:
        ended = disturbed.ended.get(fault.step, [])
        table.add_row(fault.step, fault.what, str(len(ended)), ", ".join(ended))
    console = Console(width=120)
    console.print(table)
    console.print(f"containers started again: {log.count('it is started again')}")
    console.print(f"figures compared: {len(calm.figures)}, models: {len(calm.models)}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    typer.run(main)
