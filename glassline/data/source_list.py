"""The list of data sets that a new product may learn from: a YAML file, one entry per set.

    - data: older/labels.json
      data_format: captures
      product: P7
    - data: tiles
      data_format: mask-folder
      product: tile
      cut: {window_px: 96}

Relative paths start at the list's folder, or S3 prefix.
"""

import posixpath
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, field_validator

from glassline.data.importers import LAYOUTS, source_hash
from glassline.data.store import fetched
from glassline.errors import DataError, SettingsError
from glassline.settings import Settings

#: Name of the list where a run names none: it lies beside the new product's data.
LIST = "sources.yaml"


class SourceData(Settings):
    """One data set to learn from."""

    data: str = Field(min_length=1, description="folder or label file, from the list's folder on, or an S3 URL")
    data_format: str = Field("coco", description="layout of the data, as in `glassline import --format`")
    product: str = Field(pattern=r"^[^/:]+$", max_length=100, description="its product, unlike that of any other set")
    clean_class: str = Field("", description="class without defect; '' where the layout tells or there is none")
    data_hash: str = Field("", description="SHA-256 of the set; '' computes it where the list is read")
    cut: dict[str, Any] = Field({}, description="settings of cut_patches that differ from those of the new product")

    @field_validator("data_format")
    @classmethod
    def _layout_known(cls, name: str) -> str:
        if name not in LAYOUTS:
            raise ValueError(f"data_format must be one of {', '.join(LAYOUTS)}, got {name}")
        return name


def read_source_list(path: str | Path) -> list[SourceData]:
    """Read a list of data sets, a path or S3 URL; relative paths become absolute ones.

    Raises:
        DataError: The file is missing, no YAML list, empty, breaks a rule, or names a product twice; names it.
    """
    try:
        with fetched(path, "a list of data sets") as file:
            entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(
            f"{path} must be a YAML list of data sets to learn from ({' '.join(str(error).split())}); write one, or "
            "name it with --set sources=FILE"
        ) from error
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise DataError(f"{path} must list data sets, each with data, data_format and product; got {entries!r:.100}")
    try:
        found = [SourceData.parse(entry) for entry in entries]
    except SettingsError as error:
        raise DataError(f"{path}: {error}") from None
    names = [one.product for one in found]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{path} must name each product once, got {repeated} more often; give each set its own name")
    return [one.model_copy(update={"data": _absolute(one.data, str(path))}) for one in found]


def _absolute(data: str, of: str) -> str:
    """Return where a set of a list lies."""
    if "://" in data or Path(data).is_absolute():
        return data
    if "://" not in of:
        return str((Path(of).parent / data).absolute())
    scheme, _, path = of.partition("://")
    return f"{scheme}://{posixpath.normpath(posixpath.join(posixpath.dirname(path), data))}"


def source_entries(path: str | Path, hashed: bool) -> list[dict[str, Any]]:
    """Return the list as a pipeline's argument.

    Args:
        path: The list.
        hashed: Whether sets without a hash get one, by which results are cached; they must be readable here then.

    Raises:
        DataError: See `read_source_list`, or labels and captures of a set do not agree.
        StorageError: A data set is missing.
    """
    entries = []
    for one in read_source_list(path):
        data_hash = one.data_hash or (source_hash(one.data, one.data_format) if hashed else "")
        entries.append(one.model_copy(update={"data_hash": data_hash}).model_dump(mode="json"))
    return entries


def refuse_own_product(source: str, product: str, remedy: str) -> None:
    """Refuse a source that is of the product which is to learn from it: it would be judged on what it knows.

    Raises:
        DataError: It is.
    """
    if source == product:
        raise DataError(f"sources must be of other products than the new one, got {product} as both; {remedy}")
