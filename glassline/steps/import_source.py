"""Import a data set that a new product may learn from, and cut its patches."""

from collections.abc import Mapping
from typing import Any

from glassline.data.importers import read_source
from glassline.data.source_list import SourceData
from glassline.steps.cut_patches import cut_windows, keep_patches
from glassline.steps.import_images import refuse_changed
from glassline.tracking import step_run
from glassline.vision.cut_patches import CutSettings

_CAPTURES = "captures"


def import_source(source: Mapping[str, Any], cut: Mapping[str, Any], store: str, patches_path: str) -> str:
    """Import a set, cut its images, and return the content hash of its patches.

    Args:
        source: Fields of `SourceData`; its hash is the one when the run was submitted, "" skips the comparison.
        cut: Fields of `CutSettings`; those that the source names differ.
        store: Folder or S3 URL under which the shards stay.
        patches_path: Where the Parquet table of patches goes.

    Raises:
        DataError: The set changed since the run was submitted, a record breaks a rule, or no patch can be cut.
    """
    given = SourceData.parse(source)
    # Light states are of captures alone; grey levels of images of 8 bit are what they are in any window.
    shared = dict(cut) if given.data_format == _CAPTURES else {k: v for k, v in cut.items() if k != "light_state"}
    told = {**shared, **given.cut}
    with step_run("import_source", {"source": dict(source), "cut": told}, part=given.product) as run:
        refuse_changed(given.data, given.data_format, given.data_hash)
        table = read_source(given.data, given.data_format, product=given.product, clean_class=given.clean_class)
        # A layout may name another product of its own; here a set goes by the name in the list.
        table = table.with_rows(table.rows.assign(product=given.product))
        return keep_patches(run, cut_windows(run, table, CutSettings.parse(told), store), patches_path)
