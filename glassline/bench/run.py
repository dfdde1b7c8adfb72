"""Measure an entry once: what is measured already for the same code, data and settings is read from the store."""

import importlib
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from glassline.bench.catalogue import place_of
from glassline.bench.code import measures_code
from glassline.bench.entry import Entry, Size
from glassline.bench.measured import Bench, Measured
from glassline.bench.record import Record, read_record
from glassline.data.storage import content_key
from glassline.data.store import Store, open_store, place_hash
from glassline.errors import DataError

#: Files of a result's folder.
RECORD, FIGURE = "result.json", "figure.png"


def run_entry(
    entry: Entry, places: Sequence[str], data_hash: str, size: Size, seed: int, store: str, threads: int
) -> Store:
    """Measure an entry and return the folder of its result: `result.json` and `figure.png`.

    Args:
        entry: One with a measuring function.
        places: Folders or S3 URLs with data sets below them.
        data_hash: SHA-256 of its data set when the run was submitted; "" skips the comparison.
        size: How large.
        seed: Seed of draws and fits.
        store: Folder or S3 URL for results, shards and checkpoints.
        threads: CPU threads; 0 takes all cores.

    Raises:
        DataError: The data set is missing, or is another one than at submission.
    """
    place = place_of(entry, places)
    found = place_hash(place) if place else ""
    if data_hash and found != data_hash:
        raise DataError(f"{place} must be as it was at submission, {data_hash[:12]}, got {found[:12]}; submit again")
    kept, code = open_store(store), measures_code()
    what = [entry.model_dump(), found, size, seed, code, *([machine(), threads] if entry.timed else [])]
    key = content_key(what)

    def make(folder: Path) -> None:
        measured = measuring(entry)(Bench(place, size, seed, kept, threads))
        folder.mkdir(parents=True)
        record = _record(entry, measured, found, size, seed, code)
        record.write(folder).rename(folder / RECORD)
        _draw(entry, measured, record, folder / FIGURE)

    return kept.made(f"bench/{entry.id}-{key}", make)


def measuring(entry: Entry) -> Callable[[Bench], Measured]:
    """Return the function that measures an entry."""
    module, _, function = entry.measure.partition(":")
    found: Callable[[Bench], Measured] = getattr(
        importlib.import_module(f"glassline.bench.measures.{module}"), function
    )
    return found


def result_of(folder: str | Path) -> Record:
    """Return the result that a folder holds."""
    return read_record(Path(folder) / RECORD)


def command_of(entry: Entry, size: str) -> str:
    """Return the command that measures an entry."""
    data = " --data DATA" if entry.data and "simulated" not in entry.obtained else ""
    return f"glassline bench --entry {entry.id} --preset {size}{data} --out runs/bench"


def _record(entry: Entry, measured: Measured, data_hash: str, size: Size, seed: int, code: str) -> Record:
    values = {name: float(f"{value:.6g}") for name, value in measured.values.items() if math.isfinite(value)}
    return Record(
        name=entry.id, title=f"{entry.item}: {entry.quantity}", system=entry.system, command=command_of(entry, size),
        data=entry.data or "none", data_hash=data_hash, protocol=entry.protocol, seed=seed, size=size,
        machine=machine(), code=code, values={entry.id: values}, body=tuple(measured.body),
    )  # fmt: skip


def machine() -> str:
    """Return the class of this machine: CPU cores, and a GPU where torch sees one."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{os.cpu_count()} CPU cores, {gpu}"


def _draw(entry: Entry, measured: Measured, record: Record, path: Path) -> None:
    from glassline.report.benchmark import published_figure
    from glassline.report.figures import save_figure

    save_figure(
        measured.figure or published_figure(f"{entry.id}: {entry.item}", entry.published, record.values[entry.id]), path
    )
