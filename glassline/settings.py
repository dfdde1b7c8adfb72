"""Base of every settings model: frozen, no unknown keys, errors that list the known ones."""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from glassline.errors import SettingsError


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
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}, got {item['input']!r}" for item in error.errors()
            )
            raise SettingsError(
                f"{cls.__name__} does not accept this: {problems}; known settings: {', '.join(cls.model_fields)}"
            ) from None
