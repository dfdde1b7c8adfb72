"""Base of every settings model: frozen, no unknown keys, errors that list the known ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

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
            problems = "; ".join(_told(item) for item in error.errors())
            raise SettingsError(
                f"{cls.__name__} does not accept this: {problems}; known settings: {', '.join(cls.model_fields)}"
            ) from None


def _told(item: "ErrorDetails") -> str:
    """Return one problem: field, rule and value; a rule of our own names its value itself."""
    where = ".".join(map(str, item["loc"]))
    said = item["msg"].removeprefix("Value error, ")
    told = said if item["type"] == "value_error" else f"{said}, got {item['input']!r:.200}"
    return f"{where}: {told}" if where else told
