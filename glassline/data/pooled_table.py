"""Sources as one table of patches that any model trains on, with the columns and the clean class of their target.

Their patches are copied: rows of a table lie in shards of one folder.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from glassline.data.samples import PATCH_COLUMNS, SampleTable, read_samples
from glassline.data.shards import ShardReader, ShardWriter
from glassline.data.sources import Source, product_of
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store

_TABLE, _AT_ONCE = "samples.parquet", 256


def pool_sources(sources: Sequence[Source], target: SampleTable, store: Store) -> SampleTable:
    """Return the rows of some sources as one table.

    Classes of one name are one class, those without defect are the target's; a metadata column that a source lacks is
    unknown there.

    Args:
        sources: What is pooled, at least one.
        target: Table of patches whose classes come first and whose metadata columns the pool has.
        store: Where the shards go.
    """
    rows = pd.concat([_rows(source, target) for source in sources], ignore_index=True)
    found = set(rows["label"])
    labels = [one for source in sources for one in source.table.classes if one in found]
    classes = tuple(dict.fromkeys([*target.classes, *labels]))
    classes = tuple(name for name in classes if name in found)
    clean = target.clean_class if target.clean_class in found else ""

    def write(folder: Path) -> None:
        writer, placed = ShardWriter(folder, "patch", _patch_px(sources[0])), []
        for source in sources:
            reader, of = ShardReader(source.table.root, "patch"), source.table.rows.iloc[source.rows_N]
            for start in range(0, len(of), _AT_ONCE):
                part = of.iloc[start : start + _AT_ONCE]
                placed += [writer.append(patch_HW) for patch_HW in reader.read(part["shard"], part["row"])]
        writer.close()
        told = rows.assign(shard=[shard for shard, _ in placed], row=[row for _, row in placed])
        SampleTable(told, "patches", "", classes, clean).write(folder / _TABLE)

    what = [[*classes], clean, SampleTable(rows, "patches", "", classes, clean).content_hash(), code_hash("data")]
    kept = store.made(f"sources/{content_key(what)}", write)
    return replace(read_samples(kept.file(_TABLE), "patches"), root=kept.url)


def _rows(source: Source, target: SampleTable) -> pd.DataFrame:
    """Return its rows by unique names, in the target's columns."""
    rows, product = source.table.rows.iloc[source.rows_N], product_of(source.table)
    own = [name for name in source.table.attributes if name in target.attributes]
    kept = rows[[*dict.fromkeys([*PATCH_COLUMNS, *own])]].reset_index(drop=True)
    clean = source.table.clean_class
    named = {name: f"{product}/" + kept[name].astype(str) for name in ("id", "image", "unit", "group")}
    if clean and target.clean_class:
        named |= {name: kept[name].replace(clean, target.clean_class) for name in ("label", "unit_label")}
    lacking = {name: np.nan for name in target.attributes if name not in own}
    return kept.assign(**named, **lacking, has_mask=False)


def _patch_px(source: Source) -> int:
    one = source.table.rows.iloc[source.rows_N[:1]]
    return int(ShardReader(source.table.root, "patch").read(one["shard"], one["row"]).shape[-1])
