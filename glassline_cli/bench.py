"""`glassline bench`: the papers' tables and figures, published and ours side by side."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from glassline.errors import SettingsError

if TYPE_CHECKING:
    from glassline.bench.record import Record


def bench(
    entry: Annotated[list[str] | None, typer.Option(help="id of a table or figure (repeatable)")] = None,
    system: Annotated[list[str] | None, typer.Option(help="all of a system, A to E (repeatable)")] = None,
    data: Annotated[str | None, typer.Option(help="folder or s3://… of the public data sets, each in a folder")] = None,
    preset: Annotated[str, typer.Option(help="smoke, demo or full")] = "smoke",
    out: Annotated[Path | None, typer.Option(help="folder for MLflow, artifacts and results")] = None,
    store: Annotated[
        str | None, typer.Option(help="folder or s3://… for what is measured once; in --out without it")
    ] = None,
    longest: Annotated[
        str, typer.Option(help="leave out what takes longer at full size: seconds, minutes, hours")
    ] = "hours",
    list_: Annotated[
        bool, typer.Option("--list", help="list every table and figure and where its figures come from")
    ] = False,
    write: Annotated[Path | None, typer.Option(help="write this page from the results in the folder beside it")] = None,
    from_: Annotated[list[Path] | None, typer.Option("--from", help="results to keep beside that page first")] = None,
) -> None:
    """Measure tables and figures of the five papers and print them beside what is published.

    What was measured with the same code, data and size is not measured again; a killed run continues when the same
    command is given again. Sets that no --data names are simulated where they can be. Results lie in OUT/results.

    Example: glassline bench --system E --preset demo --data data --out runs/bench

    Example: glassline bench --write docs/results.md --from runs/bench/results
    """
    if list_:
        _list()
    elif write:
        _write(write, from_ or [])
    elif out is None:
        raise SettingsError(
            "bench must be told where results go, got no --out; name a folder, or use --list or --write"
        )
    else:
        _show(_measure(entry or [], system or [], data, preset, out, store, longest))


def _list() -> None:
    from glassline.bench.catalogue import catalogue

    table = Table("id", "paper", "data", "takes", "by")
    for one in catalogue().values():
        by = one.measure or one.script or f"not measured: {one.stands_in}"
        table.add_row(one.id, f"{one.item}: {one.quantity}", one.data, "" if one.stands_in else one.cost, by)
    Console().print(table)


def _write(page: Path, folders: Sequence[Path]) -> None:
    from glassline.bench.code import of_other_code
    from glassline.bench.page import results_page
    from glassline.bench.record import read_records
    from glassline.data.storage import written_whole

    kept = page.with_suffix("")
    for record in read_records(folders):
        typer.echo(f"kept: {record.write(kept)}")
    records = read_records([kept])
    with written_whole(page) as beside:
        beside.write_text(results_page(records))
    typer.echo(f"page: {page}")
    if other := of_other_code(records):
        told = sum(1 for one in records if one.code)
        typer.echo(
            f"warning: {len(other)} of {told} results that tell their code are of other code than this: "
            f"{', '.join(one.name for one in other[:5])}{', …' if len(other) > 5 else ''}; measure them again",
            err=True,
        )


def _measure(
    entries: Sequence[str],
    systems: Sequence[str],
    data: str | None,
    preset: str,
    out: Path,
    store: str | None,
    longest: str,
) -> list["Record"]:
    """Run the pipeline `benchmark` and return its results, which then lie in OUT/results."""
    from glassline.bench.record import Record
    from glassline.data.storage import check_apart
    from glassline.data.store import open_store
    from glassline.steps.write_results import RESULTS
    from glassline.tracking import fetch_artifact
    from glassline_cli.local_run import run_locally
    from glassline_cli.run import preset_settings
    from glassline_cli.simulated import BENCHMARK, simulated_data
    from pipelines.benchmark_settings import BenchmarkSettings
    from pipelines.catalogue import find

    told = preset_settings("benchmark", preset, None).model_dump()
    wanted = {**told, "entries": tuple(entries), "systems": tuple(systems), "longest": longest}
    settings = BenchmarkSettings.parse(wanted)
    if data is not None and "://" not in data:
        check_apart(out, Path(data))
        data = str(Path(data).absolute())
    if set(BENCHMARK) & set(settings.sets):
        simulated = str(simulated_data("benchmark", preset, settings.seed, out).absolute())
        settings = BenchmarkSettings.parse({**wanted, "beside": simulated})
    for one in settings.left_out(data or ""):
        typer.echo(f"left out: {one.id}, which needs {one.data} below --data ({one.obtained})")
    arguments = settings.arguments(data or "", settings.hash_of(data or ""), open_store(store or out / "store").url)
    result = run_locally("benchmark", find("benchmark").load(), arguments, out, "glassline", {"preset": preset})
    rows = json.loads(fetch_artifact(result.run_id, RESULTS, out).read_text())
    records = [Record.model_validate(row) for row in rows]
    for record in records:
        record.write(out / "results")
    return records


def _show(records: Iterable["Record"]) -> None:
    from glassline.bench.page import compared

    table = Table("entry", "quantity", "published", "ours", title="published and ours")
    for row in (row for record in records for row in compared(record)):
        published = "" if row["published"] is None else f"{row['published']:.6g}"
        table.add_row(row["entry"], row["quantity"], published, f"{row['ours']:.6g}")
    Console().print(table)
