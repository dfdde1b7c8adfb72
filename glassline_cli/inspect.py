"""`glassline inspect`: images and captures in, verdicts and overlays out."""

import signal
import threading
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from glassline.deploy.inspection.run import Told


class Runtime(StrEnum):
    """What runs a bundle; the names of glassline.deploy.graphs, repeated so that --help needs no heavy import."""

    auto = "auto"
    onnxruntime = "onnxruntime"
    openvino = "openvino"


class Place(StrEnum):
    """Where it runs."""

    cpu = "cpu"
    gpu = "gpu"


class Arithmetic(StrEnum):
    """How exactly."""

    f32 = "f32"
    bf16 = "bf16"
    int8 = "int8"


def inspect(
    bundle: Annotated[str, typer.Argument(help="bundle.zip of any system: path or S3 URL.")],
    paths: Annotated[list[str], typer.Argument(help="Images, folders of images, folders or S3 URLs of captures.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for verdicts.jsonl, verdicts.csv and overlays.")],
    watch: Annotated[bool, typer.Option("--watch", help="Judge what comes in, until Ctrl-C or SIGTERM.")] = False,
    runtime: Annotated[Runtime, typer.Option(help="auto takes the one that suits the bundle.")] = Runtime.auto,
    device: Annotated[Place, typer.Option(help="Where the model runs.")] = Place.cpu,
    precision: Annotated[
        Arithmetic, typer.Option(help="bf16 (systems C, E) and int8 (E) are faster; the card says what they cost.")
    ] = Arithmetic.f32,
    threads: Annotated[int, typer.Option(min=0, help="Threads of the runtime; 0 lets it choose.")] = 0,
    pitch_um: Annotated[
        float | None, typer.Option(min=0.001, help="Pixel pitch on the glass (system E); the bundle's by default.")
    ] = None,
) -> None:
    """Judge images or captures: good, defective, unknown or refused. Exit code 1 when any is refused.

    What was judged is remembered in --out: run it again after a kill, and only the rest is judged.

    Example: glassline inspect bundle.zip frames/ --out verdicts/
    """
    from glassline.deploy.bundle import fetch_bundle
    from glassline.deploy.inspection.inspector import open_inspector
    from glassline.deploy.inspection.journal import Journal
    from glassline.deploy.inspection.listing import list_units
    from glassline.deploy.inspection.once import judge_once
    from glassline.deploy.inspection.run import Inspection
    from glassline.deploy.inspection.running import Running
    from glassline.errors import DataError

    how = Running("" if runtime is Runtime.auto else runtime.value, device.value, precision.value, threads, pitch_um)
    loaded = fetch_bundle(bundle)
    inspector = open_inspector(loaded, how)
    _check_apart(out, paths)
    with Journal(out) as journal:
        inspection = Inspection(inspector, loaded, how, journal)
        if watch:
            _watch(inspection, paths)
            return
        count, refused = _tell(judge_once(inspection, list_units(paths, inspector.by_glass), _warn))
        if not count:
            raise DataError(f"there must be something to inspect, got nothing in {', '.join(paths)}; check the path")
    typer.echo(f"written: {out}")
    if refused:
        typer.secho(f"error: {refused} of {count} refused", fg="red", err=True)
        raise typer.Exit(1)


def _watch(inspection: Any, paths: list[str]) -> None:
    from glassline.deploy.inspection.listing import list_units
    from glassline.deploy.inspection.watch import Watch

    stop: threading.Event = inspection.stop
    before = {one: signal.signal(one, lambda *_: stop.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        watch = Watch(lambda: list_units(paths, inspection.inspector.by_glass), _warn, stop)
        inspection.hold, inspection.wait_for_room = watch.hold, watch.wait_for_room
        typer.echo(f"watching {', '.join(paths)}")
        _tell(watch.run(inspection))
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    typer.echo("stopped")


def _warn(text: str) -> None:
    typer.secho(f"warning: {text}", fg="yellow", err=True)


def _tell(units: "Iterable[Told]") -> tuple[int, int]:
    """Print a line per unit; return how many there were, and how many of them were refused."""
    count = refused = 0
    for told in units:
        count += 1
        if told.reason:
            refused += 1
            typer.secho(f"error: {told.reason}", fg="red", err=True)
        elif told.judged is not None:
            sure = (told.judged.probabilities or {}).get(told.judged.label)
            more = [told.judged.label, "" if sure is None else f"{sure:.3f}", _counted(len(told.judged.defects))]
            typer.echo(f"{told.unit.name}: {' '.join([told.judged.verdict, *filter(None, more)])}")
    return count, refused


def _counted(defects: int) -> str:
    return f"({defects} place{'s' * (defects != 1)})" if defects else ""


def _check_apart(out: Path, paths: list[str]) -> None:
    """Refuse to write overlays where images are looked for: they would be judged."""
    import os

    from glassline.data.storage import check_apart

    for path in paths:
        if "://" not in path and os.path.isdir(path):
            check_apart(out, Path(path))
