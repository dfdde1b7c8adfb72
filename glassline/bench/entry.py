"""One table or figure of a paper: what is published, on which data we measure it, and by what."""

from typing import Literal, Self

from pydantic import Field, model_validator

from glassline.settings import Settings

#: The five systems; figures of the rig and the platform stand behind theirs.
SYSTEMS = ("A", "B", "C", "D", "E")
#: How large a measurement is: a check that everything runs, minutes on two cores, or the protocol as told.
Size = Literal["smoke", "demo", "full"]


class Entry(Settings):
    """What the catalogue tells of a table or figure.

    Exactly one of `measure`, `script` and `stands_in` says where our figures come from.
    """

    id: str = Field(pattern=r"^[a-e]-[a-z0-9-]+$", description="name, its system's letter first")
    item: str = Field(min_length=1, description="table, figure or equation of the paper")
    quantity: str = Field(min_length=1, description="what it shows")
    published: dict[str, float] = Field(default={}, description="printed numbers; none where it is a drawing")
    data: str = Field("", description="folder below --data that it is measured on, '' for none")
    obtained: str = Field(min_length=1, description="where the data comes from")
    protocol: str = Field(min_length=1, description="how it is measured")
    measure: str = Field(
        "", pattern=r"^([a-z_]+:[a-z_0-9]+)?$", description="module:function of glassline.bench.measures"
    )
    script: str = Field("", description="command that measures it, where `bench` does not: hours, or a machine")
    stands_in: str = Field("", description="what stands in its place, and why it is not measured")
    timed: bool = Field(False, description="whether figures are times, which are the machine's: measured once for each")
    cost: Literal["seconds", "minutes", "hours"] = Field("seconds", description="at the size full, on two CPU cores")

    @property
    def system(self) -> str:
        """Letter of the system, A to E."""
        return self.id[0].upper()

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Self:
        told = [name for name in ("measure", "script", "stands_in") if getattr(self, name)]
        if len(told) != 1:
            raise ValueError(f"an entry must have one of measure, script and stands_in, got {told or 'none'}")
        return self
