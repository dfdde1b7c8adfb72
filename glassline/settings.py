"""Base of every settings model: frozen, no unknown keys, errors that list the known ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from glassline.errors import SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class Settings(BaseModel):
    """Frozen settings checked once, beside their owner.

    Pipelines send numbers as JSON, so an int may arrive as 4.0: pydantic turns it back into 4.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def parse(cls, values: Mapping[str, Any] | None) -> Self:
        """Check a mapping and return the settings.

        Args:
            values: Field name to value; None means all defaults.

        Raises:
            SettingsError: A key is unknown or a value is out of range; lists the known keys.
        """
        try:
            return cls(**dict(values or {}))
        except ValidationError as error:
            secret = bool(cls.model_config.get("hide_input_in_errors"))
            problems = "; ".join(_told(item, secret) for item in error.errors())
            raise SettingsError(
                f"{cls.__name__} does not accept this: {problems}; known settings: {_known_names(cls)}"
            ) from None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Check a YAML file and return the settings; what it leaves out keeps its default.

        Raises:
            SettingsError: The file is missing or no YAML, a key is unknown, or a value is out of range.
        """
        try:
            values = yaml.safe_load(path.read_text())
        except OSError as error:
            raise SettingsError(
                f"{path} must be a file that can be read ({error.strerror}); name one that can"
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} must be YAML, got: {' '.join(str(error).split())[:200]}; mend it") from None
        if values is not None and not isinstance(values, dict):
            raise SettingsError(
                f"{path} must hold settings by name, got {values!r:.100}; known settings: {_known_names(cls)}"
            )
        try:
            return cls.parse(values)
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None


def _known_names(settings: type[Settings]) -> str:
    return ", ".join(field.alias or name for name, field in settings.model_fields.items())


def _told(item: "ErrorDetails", secret: bool) -> str:
    """Return one problem: field, rule and value unless it is secret; a rule of our own names its value itself."""
    where = ".".join(map(str, item["loc"]))
    said = item["msg"].removeprefix("Value error, ")
    told = said if secret or item["type"] == "value_error" else f"{said}, got {item['input']!r:.200}"
    return f"{where}: {told}" if where else told
