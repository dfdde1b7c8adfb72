"""What a cycle is run on: a product, a cycle, and where its labelled images are; as options or as a YAML file.

    product: P7
    cycle: 2026b
    captures: s3://glass/P7-2026b
    labels: s3://glass/P7-2026b/labels.json
    format: captures

Relative paths start at the manifest's folder. `cycles/PRODUCT/CYCLE.yaml` says the same as its keys.
"""

import json
import posixpath
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from glassline.data.importers import LAYOUTS
from glassline.errors import DataError
from glassline.settings import Settings

_PLACES = ("captures", "labels", "reviews", "sources")


class CycleManifest(Settings):
    """One cycle of a product; the file's keys."""

    product: str = Field(
        pattern=r"^[^/:\s]+$",
        max_length=100,
        description="product name without /, : and spaces; names the model",
    )
    cycle: str = Field(pattern=r"^\S(.*\S)?$", max_length=100, description="name of its cycle")
    captures: str = Field(min_length=1, description="folder or S3 URL of the images or captures")
    labels: str = Field("", description="label file, or folder that holds it; '' is the folder of the images")
    format: str = Field("captures", description="layout of the labels, as in `glassline import --format`")
    clean_class: str = Field("", description="class without defect; '' where the layout tells or there is none")
    reviews: str = Field("", description="file of decisions on the review queue of this data; '' for none")
    reviews_format: str = Field("csv", description="its format: csv, label-studio, cvat or coco")
    sources: str = Field("", description="YAML list of older sets to learn from, see docs/transfer.md; '' for none")
    preset: Literal["smoke", "demo", "full"] = Field("full", description="size of the run")
    settings: dict[str, Any] = Field({}, description="settings that differ from the preset's, dotted: training.epochs")

    @model_validator(mode="before")
    @classmethod
    def _names_are_text(cls, values: Any) -> Any:
        """Take a product 7 or a cycle 2026-01-31 as the names that they are, whatever YAML makes of them."""
        if not isinstance(values, dict):
            return values
        return {
            name: str(value) if name in {"product", "cycle"} and not isinstance(value, (dict, list, str, type(None)))
            else value
            for name, value in values.items()
        }  # fmt: skip

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.format not in LAYOUTS:
            raise ValueError(f"format must be one of {', '.join(LAYOUTS)}, got {self.format}")
        return self

    @classmethod
    def at(cls, path: Path) -> Self:
        """Read a manifest file; relative paths become absolute ones.

        Raises:
            SettingsError: The file is missing, no YAML, or breaks a rule.
            DataError: It lies where another product or cycle does, as a copy that was not changed does.
        """
        found = cls.read(path)
        folder = path.absolute().parent
        if folder.parent.name == "cycles" and (folder.name, path.stem) != (found.product, found.cycle):
            raise DataError(
                f"{path} must be of the product and cycle that it is named after, {folder.name} and {path.stem}, got "
                f"product: {found.product} and cycle: {found.cycle}; mend these two keys, or move the file"
            )
        return found.model_copy(update={name: _from(path.parent, getattr(found, name)) for name in _PLACES})

    @classmethod
    def given(cls, options: Mapping[str, str]) -> Self:
        """Check what the command line was given; local paths become absolute ones.

        Args:
            options: By the keys of a manifest; "" for one that was left out.

        Raises:
            SettingsError: One is missing or breaks a rule.
        """
        found = cls.parse({name: value for name, value in options.items() if value})
        return found.model_copy(update={name: _from(Path(), getattr(found, name)) for name in _PLACES})

    @property
    def data(self) -> str:
        """What is imported: the labels, which name the images."""
        return self.labels or self.captures

    @property
    def preset_name(self) -> str:
        """Preset of the pipeline: captures of the rig are read in another way than images."""
        return f"captures-{self.preset}" if self.format == "captures" else self.preset

    @property
    def overrides(self) -> list[str]:
        """Settings as `--set` takes them."""
        return [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in self._told()]

    def _told(self) -> list[tuple[str, Any]]:
        named = {
            "data_format": self.format, "product": self.product, "cycle": self.cycle, "clean_class": self.clean_class,
            "reviews": self.reviews, "reviews_format": self.reviews_format, "sources": self.sources,
        }  # fmt: skip
        return [*self.settings.items(), *named.items()]


def _from(folder: Path, place: str) -> str:
    """Return where a place of the manifest is."""
    if not place or "://" in place:
        return place
    return posixpath.normpath((folder.absolute() / place).as_posix())
