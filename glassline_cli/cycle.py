"""`glassline cycle`: a product's new cycle, from labelled images to a champion that was kept or replaced."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from glassline.errors import GlasslineError, SettingsError, StorageError, TrackingError
from glassline_cli.run import SETTINGS, preset_settings

if TYPE_CHECKING:
    from glassline_cli.cycle_manifest import CycleManifest


def cycle(
    product: Annotated[str, typer.Argument(help="product name")] = "",
    cycle: Annotated[str, typer.Argument(metavar="[CYCLE]", help="name of its cycle, such as 2026b")] = "",
    out: Annotated[Path, typer.Option(help="folder for MLflow, artifacts, report and log")] = Path("runs/cycle"),
    captures: Annotated[str, typer.Option(help="folder or s3://… of the images or captures")] = "",
    labels: Annotated[str, typer.Option(help="their label file, or folder of it; default: the folder of images")] = "",
    format: Annotated[str, typer.Option(help="layout of the labels, as of `glassline import`")] = "",
    reviews: Annotated[str, typer.Option(help="file of decisions on an earlier queue of these images")] = "",
    reviews_format: Annotated[str, typer.Option(help="csv, label-studio, cvat or coco")] = "",
    sources: Annotated[str, typer.Option(help="YAML list of older sets to learn from")] = "",
    preset: Annotated[str, typer.Option(help="smoke, demo or full")] = "",
    overrides: SETTINGS = None,
    manifest: Annotated[Path | None, typer.Option(help="YAML file that names all of these")] = None,
    store: Annotated[str | None, typer.Option(help="folder or s3://… for shards; store in --out without it")] = None,
    runner: Annotated[
        Literal["subprocess", "docker"], typer.Option(help="docker runs every step in its image, after `make images`")
    ] = "subprocess",
    summary: Annotated[Path | None, typer.Option(help="file for a short summary in Markdown")] = None,
) -> None:
    """Check a product's new data, train candidates, and make the best one champion if the gate lets it.

    Exit codes: 0 promoted, 10 the champion is kept, 20 data refused, 30 machine, store or tracking server failed;
    1 other errors, 2 wrong usage. Data that a cycle of the product ended on is not run again.

    Example: glassline cycle P7 2026b --captures session/captures --labels labels.json --out runs/P7-2026b
    """
    from glassline_cli.cycle_manifest import CycleManifest
    from glassline_cli.cycle_outcome import (
        EXIT_CODES,
        UNAVAILABLE,
        failure_summary,
        failure_verdict,
        running_summary,
        write_summary,
    )  # fmt: skip

    given = {
        "product": product, "cycle": cycle, "captures": captures, "labels": labels, "format": format,
        "reviews": reviews, "reviews_format": reviews_format, "sources": sources, "preset": preset,
    }  # fmt: skip
    title, told = str(manifest or f"{product} {cycle}"), None
    try:
        write_summary(running_summary(title), summary)  # a file that cannot be written is told before hours of training
        if manifest is not None:
            _refuse_beside(manifest, given)
        told = CycleManifest.at(manifest) if manifest else CycleManifest.given(given)
        verdict, text = run_cycle(told, overrides or [], out, store, runner)
    except GlasslineError as error:
        error.exit_code = EXIT_CODES.get(failure_verdict(error), 1)
        with suppress(StorageError):  # what came first is told
            write_summary(failure_summary(title, error, _promoted(told) if told else ""), summary)
        raise
    Console(soft_wrap=True, highlight=False).print(text, markup=False)
    try:
        write_summary(text, summary)
    except StorageError as error:
        error.exit_code = EXIT_CODES[UNAVAILABLE]
        raise
    if code := EXIT_CODES[verdict]:
        raise typer.Exit(code)


def _promoted(told: "CycleManifest") -> str:
    """Return the version that the run of a cycle which failed had made champion, "" for none."""
    from glassline.tracking import pipeline_run_id
    from glassline.tracking.cycles import promoted_version

    with suppress(TrackingError):
        return promoted_version(told.product, pipeline_run_id())
    return ""


def _refuse_beside(manifest: Path, given: dict[str, str]) -> None:
    if beside := [name for name, value in given.items() if value]:
        raise SettingsError(
            f"--manifest must be given alone, {', '.join(beside)} stand in {manifest}; leave one of them out"
        )


def run_cycle(
    told: "CycleManifest", overrides: list[str], out: Path, store: str | None, runner: Literal["subprocess", "docker"]
) -> tuple[str, str]:
    """Run a cycle, unless one of the same product ended on the same data, and return its verdict and summary.

    Args:
        told: What it is run on.
        overrides: Settings, `key=value`.
        out: Folder of the run.
        store: Where shards and checkpoints stay.
        runner: How steps run.

    Raises:
        GlasslineError: It did not come to its end.
    """
    from glassline.data.importers.places import check_labels_speak_of, check_there
    from glassline.data.storage import check_apart, ready_folder
    from glassline.data.store import open_store
    from glassline.tracking import pipeline_run_id, product_experiment
    from glassline.tracking.cycles import failed_step, find_ended_cycle, run_verdict, standing
    from glassline.tracking.lock import product_lock
    from glassline_cli.cycle_outcome import cycle_summary
    from glassline_cli.local_run import left_run, run_locally, use_tracking
    from pipelines.catalogue import find

    settings = preset_settings("new_cycle", told.preset_name, [*told.overrides, *overrides])
    check_there(told.captures, told.data)
    for place in (told.captures, told.data):
        if "://" not in place and Path(place).is_dir():
            check_apart(out, Path(place))
    ready_folder(out)
    use_tracking(out)
    hashes = settings.hash_of(told.data)
    data_hash, _, reviews_hash = hashes.partition("+")
    experiment = product_experiment(told.product)
    ended = find_ended_cycle(experiment, told.product, data_hash, reviews_hash)
    if ended and ended.run_id != left_run(out):
        line = f"Nothing was done: cycle {ended.cycle} of {told.product} ended on the same data, {ended.verdict}."
        if not ended.is_whole:
            line += " Its run failed after that: its report or review queue may be missing."
        verdict, changed = standing(ended, told.product)
        return verdict, cycle_summary(ended.run_id, out, line + changed)
    check_labels_speak_of(told.captures, told.data, told.format)
    arguments = settings.arguments(told.data, hashes, open_store(store or out / "store").url)
    tags = {
        "product": told.product, "cycle": told.cycle, "preset": told.preset_name, "data_hash": data_hash,
        "reviews_hash": reviews_hash,
    }  # fmt: skip
    try:
        done = run_locally(
            "new_cycle", find("new_cycle").load(), arguments, out, experiment, tags, runner,
            partial(product_lock, arguments["registered_model"]),
        )  # fmt: skip
    except GlasslineError as error:
        with suppress(TrackingError):  # what came first is told
            error.add_note(failed_step(pipeline_run_id()))
        raise
    return run_verdict(done.run_id), cycle_summary(done.run_id, out)
