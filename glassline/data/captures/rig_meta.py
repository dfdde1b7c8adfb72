"""What the files of an existing rig cannot tell, in a YAML file.

    product: P1
    cycle: 2026a
    pattern: GRBG            and every other field of `ZoneMeta` that is the same for all zones
    zones:
      3: {stage_x_mm: 37.0, stage_y_mm: 0}
    glasses:
      G0007: {product: P2}

Without `taken_utc` a zone was taken when its first file was last changed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.errors import DataError, SettingsError

Fields = dict[str, Any]


@dataclass(frozen=True)
class RigMeta:
    """Fields of `ZoneMeta`.

    Attributes:
        common: For all zones.
        zones: For one zone of every glass, by its index.
        glasses: For all zones of one glass.
    """

    common: Fields = field(default_factory=dict)
    zones: dict[int, Fields] = field(default_factory=dict)
    glasses: dict[str, Fields] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`clean` or `marked` where it is the same for all zones, "" where the file names tell it."""
        return str(self.common.get("kind", ""))

    @classmethod
    def read(cls, path: Path) -> "RigMeta":
        """Read the YAML file. Values stay text until a field needs a number: 2026 is a cycle.

        Raises:
            SettingsError: It is missing, no YAML, or no mapping of fields.
        """
        try:
            # Text, lists and mappings only; no objects are made.
            told = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
            zones = {int(zone): dict(fields) for zone, fields in dict(told.pop("zones", {})).items()}
            glasses = {glass: dict(fields) for glass, fields in dict(told.pop("glasses", {})).items()}
            return cls(dict(told), zones, glasses)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"--meta must be a YAML file of field names and values, got {path} ({' '.join(str(error).split())}); "
                "mend it"
            ) from None

    def of(self, ref: ZoneRef, first: Path) -> ZoneMeta:
        """Return the meta of a zone: what is said of the zone goes before its glass, and that before all.

        Args:
            ref: The zone.
            first: Its first file.

        Raises:
            DataError: A field is missing, unknown or out of range.
        """
        taken = datetime.fromtimestamp(int(first.stat().st_mtime), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        named = {"glass": ref.glass, "kind": ref.kind, "zone": ref.zone}
        own = {**self.glasses.get(ref.glass, {}), **self.zones.get(ref.zone, {})}
        try:
            return ZoneMeta.parse({"taken_utc": taken, **self.common, **own, **named})
        except SettingsError as error:
            raise DataError(f"--meta must tell every field of the zone that its files do not: {error}") from None
