"""A candidate of a product cycle: which model, and what its weights start from."""

from typing import Literal

from pydantic import Field, field_validator

from glassline.models.settings import MODEL_NAMES
from glassline.settings import Settings

#: What weights start from: random ones, the champion's, or the champion's after training on chosen sources.
SCRATCH, CHAMPION, SOURCES = "scratch", "champion", "sources"


class Candidate(Settings):
    """One of the models that a cycle compares with the champion."""

    name: str = Field(pattern=r"^[^/:]+$", max_length=100, description="its name, MODEL-START")
    model: str = Field(description="model, as in `glassline models`")
    start: Literal["scratch", "champion", "sources"] = Field("scratch", description="what its weights start from")

    @field_validator("model")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in MODEL_NAMES:
            raise ValueError(f"model must be one of {', '.join(MODEL_NAMES)}, got {name}")
        return name
