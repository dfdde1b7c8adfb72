"""What a new product may learn from: listed data sets, and the table of its champion."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassline.data.importers import read_source
from glassline.data.location.base import NotThereError
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.data.source_list import SourceData, refuse_own_product
from glassline.data.sources import product_of
from glassline.data.unseen import shared_rows
from glassline.errors import DataError
from glassline.steps.import_images import refuse_changed
from glassline.steps.train_ensemble import TEST_FOLD
from glassline.tracking import StepRun
from glassline.tracking.champion import Champion, champion_table, find_champion
from glassline.vision.cut_patches import CutSettings
from glassline.vision.patches import ExtractSettings, extract_patches

# What `cut` of a list's entry changes beside its `extract`: how images are read.
_READING = ("depth_window", "light_state")


def offered_tables(
    run: StepRun, target: SampleTable, sources: Sequence[Mapping[str, Any]], extract: Mapping[str, Any],
    registered_model: str, store: str,
) -> list[SampleTable]:  # fmt: skip
    """Return a table of patches per source, the champion's first, without what target and champion are tested on."""
    champion = find_champion(registered_model)
    table = older_table(run, champion) if champion else None
    forbidden, found = [target], []
    if champion is not None and table is not None:
        tested_N = (table.rows["fold"] == TEST_FOLD).to_numpy()
        forbidden.append(table.with_rows(table.rows[tested_N]))
        name = f"{product_of(target)}-{champion.tags.get('cycle', champion.version)}"
        if lost := _lost_pixels(table):
            run.note(f"{name} is no source, its patches cannot be read: {lost}")
        else:
            found.append((name, table.with_rows(table.rows[~tested_N])))
    for one in sources:
        given = SourceData.parse(one)
        refuse_own_product(given.product, product_of(target), "rename it in the list of sources")
        found.append((given.product, _imported(run, given, extract, store)))
    kept = [(name, _without(run, name, table, forbidden)) for name, table in found]
    return [table.with_rows(table.rows.assign(product=name)) for name, table in kept if len(table.rows)]


def older_table(run: StepRun, champion: Champion) -> SampleTable | None:
    """Return the table of patches with folds that the champion learned from; None, and a note, where it was lost."""
    table, damage = champion_table(champion)
    if table is None:
        run.note(damage or f"the table that version {champion.version} of {champion.name} learned from was not kept")
    return table


def _lost_pixels(table: SampleTable) -> str:
    """Return why patches of a table cannot be read, "" where they can: its store may be gone, or was another's.

    Raises:
        StorageError: The store does not answer: nobody knows what is there.
    """
    ends = table.rows.groupby("shard")["row"].max()
    try:
        ShardReader(table.root, "patch").read(ends.index, ends)
    except (DataError, NotThereError) as error:
        return str(error)
    return ""


def _imported(run: StepRun, given: SourceData, extract: Mapping[str, Any], store: str) -> SampleTable:
    """Import a set and extract its candidates as the target's, so that attributes mean the same."""
    refuse_changed(given.data, given.data_format, given.data_hash)
    images = read_source(given.data, given.data_format, product=given.product, clean_class=given.clean_class)
    CutSettings.parse(given.cut)
    # Light states are of captures alone; grey levels of images of 8 bit are what they are in any window.
    told = dict(given.cut.get("extract", extract)) | {key: given.cut[key] for key in _READING if key in given.cut}
    if given.data_format != "captures":
        told.pop("light_state", None)
    settings = ExtractSettings.parse(told)
    patches, _ = extract_patches(
        images, store, settings, lambda done, total: run.progress(done, total, f"images of {given.product}")
    )
    return patches


def _without(run: StepRun, name: str, table: SampleTable, forbidden: Sequence[SampleTable]) -> SampleTable:
    shared_N = np.any([shared_rows(table, other) for other in forbidden], axis=0)
    if shared_N.any():
        run.note(f"{int(shared_N.sum())} of {len(shared_N)} patches of {name} are left out: models are tested on them")
    return table.with_rows(table.rows[~shared_N])
