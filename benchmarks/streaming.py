"""Stream a data set of 112 x 112 patches through the training loader: rate, memory and open files.

    python benchmarks/streaming.py --patches 600000 --folder /somewhere/with/8GB

Writes the shards once (7.5 GB for 600,000 patches), then reads one shuffled epoch as training does.
"""

import os
import resource
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from tqdm import tqdm

from glassline.data.samples import PATCH_COLUMNS, SampleTable
from glassline.data.shards import ROWS_PER_SHARD, ShardWriter
from glassline.data.storage import written_whole
from glassline.training.data import PatchDataset, batches

PATCH_PX = 112


def _table(patches: int, folder: Path) -> SampleTable:
    number_N = np.arange(patches)
    rows = pd.DataFrame(dict.fromkeys(PATCH_COLUMNS, ""), index=number_N)
    rows["id"] = [f"patch-{number}" for number in number_N]
    rows["shard"], rows["row"] = number_N // ROWS_PER_SHARD, number_N % ROWS_PER_SHARD
    rows["label"] = np.where(number_N % 4 == 0, "dent", "control")
    for name in ("x_mm", "y_mm", "attr_area_px"):
        rows[name] = np.random.default_rng(0).normal(size=patches)
    return SampleTable(rows, "patches", str(folder), ("dent", "control"), "control")


def _write(patches: int, folder: Path) -> None:
    generator = np.random.default_rng(0)
    with written_whole(folder) as beside:
        writer = ShardWriter(beside, "patch", PATCH_PX)
        noise = generator.integers(0, 256, (64, PATCH_PX, PATCH_PX), np.uint8)
        for number in tqdm(range(patches), "writing", unit="patch"):
            writer.append(noise[number % 64])
        writer.close()


def main(
    folder: Annotated[Path, typer.Option(help="where the shards go")],
    patches: Annotated[int, typer.Option(min=1, help="number of patches")] = 600_000,
    batch_size: Annotated[int, typer.Option(min=1)] = 256,
) -> None:
    """Measure one shuffled epoch."""
    shards = folder / f"stream-{patches}"
    if not shards.is_dir():
        _write(patches, shards)
    table = _table(patches, shards)
    dataset = PatchDataset(table, np.arange(patches), table.attributes)
    del table
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started, files = time.perf_counter(), 0
    for batch in tqdm(batches(dataset, batch_size, 0, shuffle_seed=0), "one epoch", unit="batch"):
        assert batch["patch_BHW"].shape[1:] == (PATCH_PX, PATCH_PX)
        files = max(files, len(os.listdir("/proc/self/fd")))
    seconds = time.perf_counter() - started
    after_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{patches / seconds:,.0f} patches/s, at most {files} open files")
    print(f"peak memory {after_mb:,.0f} MB, of which {after_mb - before_mb:,.0f} MB came with the epoch")


if __name__ == "__main__":
    typer.run(main)
