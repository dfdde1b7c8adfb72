"""The sample table: one Parquet file, one row per image or patch, one content hash.

Two kinds share the file format. `images` is what importers write; `patches` is what candidate
extraction makes of it, and what every model trains on. Pixels are referenced, never copied:
image and mask paths are relative to `root`, patches lie in shards under `root`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from glassline.data.storage import written_whole
from glassline.errors import DataError

Kind = Literal["images", "patches"]

#: Columns of an image row. `image` names a file under the root, or a zone of captures (`G0001.zarr/clean-03`). `mask`
#: and `objects` are empty strings where there is none; `objects` is JSON: [{"label", "bbox": [x, y, width, height]
#: in px, "segmentation": COCO polygons or RLE or null, "status" unless confirmed}], and `[]` where each candidate is
#: judged and all are clean. `reviews`, where people decided on samples, says so: see `glassline.data.reviews.apply`.
#: `named_product` and `named_cycle` are what images say of themselves, where a cycle was told others.
#: x_mm and y_mm are where the image's first pixel lies on the glass, NaN where unknown; pitch_um is the
#: pixel pitch, NaN where unknown. `group` is what must never be split between train and test.
IMAGE_COLUMNS = (
    "id", "image", "label", "mask", "objects", "x_mm", "y_mm", "zone", "pitch_um", "group",
    "product", "cycle", "source", "width_px", "height_px", "bit_depth", "sha256",
)  # fmt: skip

#: Columns of a patch row, besides its attributes (`attr_…`, floats), its `fold` once split, and
#: `augmentation` and `origin` once augmented, and `review` where people decided on some. `label` is the class the
#: patch is trained as, `unit` the thing that is judged (the patch itself, or the image when only images are labelled)
#: and `unit_label` its class.
#: `overlap` is how far candidate and annotated defect cover each other, 0 to 1, NaN where no mask exists.
PATCH_COLUMNS = (
    "id", "image", "shard", "row", "label", "unit", "unit_label", "has_mask", "overlap", "x_mm", "y_mm", "zone",
    "crop_x_px", "crop_y_px", "crop_px", "group", "product", "cycle", "source", "sha256",
)  # fmt: skip

_COLUMNS: dict[Kind, tuple[str, ...]] = {"images": IMAGE_COLUMNS, "patches": PATCH_COLUMNS}
_KEY = b"glassline"


@dataclass(frozen=True)
class SampleTable:
    """Rows, what they are, and where their pixels lie.

    Attributes:
        rows: One row per sample; `id` is unique.
        kind: `images` or `patches`.
        root: Folder or URL that references in the rows are relative to.
        classes: Class names in the order of the models' outputs.
        clean_class: The class of a sample without defect (`control`, `Free`), or "" where there is none.
    """

    rows: pd.DataFrame
    kind: Kind
    root: str
    classes: tuple[str, ...]
    clean_class: str = ""

    def __post_init__(self) -> None:
        """Check columns, ids and labels.

        Raises:
            DataError: A column is missing, an id repeats, or a label is not among the classes.
        """
        missing = [name for name in _COLUMNS[self.kind] if name not in self.rows.columns]
        if missing:
            raise DataError(
                f"a table of {self.kind} must have the columns {', '.join(_COLUMNS[self.kind])}; "
                f"missing: {', '.join(missing)}; write it again with the importer or step that made it"
            )
        repeated = self.rows["id"][self.rows["id"].duplicated()]
        if len(repeated):
            raise DataError(f"sample ids must be unique, got {repeated.iloc[0]!r} twice; rename one of the images")
        unknown = set(self.rows["label"]) - set(self.classes)
        if unknown:
            raise DataError(f"labels must be among {list(self.classes)}, got {sorted(unknown)}; mend the labels")
        if self.clean_class and self.clean_class not in self.classes:
            raise DataError(
                f"clean_class must be one of {list(self.classes)}, got {self.clean_class!r}; choose one of them"
            )

    @property
    def attributes(self) -> list[str]:
        """Names of the metadata columns that a model reads: location, then candidate attributes."""
        return ["x_mm", "y_mm", *sorted(name for name in self.rows.columns if name.startswith("attr_"))]

    def with_rows(self, rows: pd.DataFrame) -> "SampleTable":
        """Return the same table with other rows, index reset."""
        return replace(self, rows=rows.reset_index(drop=True))

    def content_hash(self) -> str:
        """Return one SHA-256 over kind, classes and every row; independent of root and row order."""
        digest = hashlib.sha256(json.dumps([self.kind, list(self.classes), self.clean_class]).encode())
        ordered = self.rows.sort_values("id")[sorted(self.rows.columns)]
        buffer = pa.BufferOutputStream()
        pyarrow.csv.write_csv(pa.Table.from_pandas(ordered, preserve_index=False), buffer)
        digest.update(buffer.getvalue())
        return digest.hexdigest()

    def write(self, path: str | Path) -> None:
        """Write the table as Parquet, whole or not at all."""
        meta = {"kind": self.kind, "root": self.root, "classes": self.classes, "clean_class": self.clean_class}
        table = pa.Table.from_pandas(self.rows, preserve_index=False)
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KEY: json.dumps(meta).encode()})
        with written_whole(path) as beside:
            pq.write_table(table, beside)


def read_samples(path: str | Path, kind: Kind, extra: Sequence[str] = ()) -> SampleTable:
    """Read a sample table and check it.

    Args:
        path: Parquet file written by `SampleTable.write`.
        kind: What the caller needs: `images` or `patches`.
        extra: Further columns the caller needs, such as `fold`.

    Raises:
        DataError: The file is no sample table, of the other kind, or lacks a column; names all three.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(
            f"{path} must be a Parquet sample table ({error}); run the step that writes it again"
        ) from error
    raw = (table.schema.metadata or {}).get(_KEY)
    if raw is None:
        raise DataError(f"{path} must carry glassline's metadata, got a plain Parquet file; import the data first")
    try:
        meta = json.loads(raw)
        found, root, classes, clean_class = (meta[name] for name in ("kind", "root", "classes", "clean_class"))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} must carry glassline's metadata, got {raw[:100]!r}; write it again") from error
    if found != kind:
        remedy = "run extract_candidates on it first" if kind == "patches" else "give the table of images"
        raise DataError(f"{path} must hold {kind}, got {found}; {remedy}")
    rows = table.to_pandas()
    missing = [name for name in extra if name not in rows.columns]
    if missing:
        raise DataError(f"{path} must have the columns {list(extra)}, missing: {missing}; run split_samples first")
    return SampleTable(rows, kind, root, tuple(classes), clean_class)
