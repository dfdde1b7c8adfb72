"""Settings and presets of the pipeline `benchmark`, checked before anything runs."""

from typing import Any, Literal

from pydantic import Field, model_validator

from glassline.bench.catalogue import select, sets_below
from glassline.bench.entry import Entry, Size
from glassline.data.store import place_hash
from glassline.errors import SettingsError
from glassline.settings import Settings

_UNKNOWN = "0" * 64
_COSTS = ("seconds", "minutes", "hours")


class BenchmarkSettings(Settings):
    """What a run of `benchmark` can be told, besides where its data sets are."""

    entries: tuple[str, ...] = Field((), description="ids, as in `glassline bench --list`; all by default")
    systems: tuple[str, ...] = Field((), description="letters of the systems, A to E; all by default")
    size: Size = Field("full", description="how large each is: smoke, demo or full")
    longest: Literal["seconds", "minutes", "hours"] = Field(
        "hours", description="what takes longer at full size is left out, unless it is named"
    )
    beside: str = Field("", description="second folder of data sets, such as simulated ones beside public ones")
    threads: int = Field(1, ge=0, le=1024, description="CPU threads of an entry; two run at a time on one machine")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of draws and fits, and of simulated data")

    @model_validator(mode="after")
    def _known(self) -> "BenchmarkSettings":
        try:
            select(self.entries, self.systems)
        except SettingsError as error:
            raise ValueError(str(error)) from None
        return self

    @property
    def chosen(self) -> list[Entry]:
        """The entries that are asked for, in the order of the papers."""
        longest = _COSTS.index(self.longest)
        found = select(self.entries, self.systems)
        return [one for one in found if one.id in self.entries or _COSTS.index(one.cost) <= longest]

    @property
    def sets(self) -> list[str]:
        """Names of the data sets that they need."""
        return sorted({entry.data for entry in self.chosen if entry.data})

    @property
    def simulated(self) -> Literal["benchmark"]:
        """What is simulated when a run names no data."""
        return "benchmark"

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return len(self.sets)

    def hash_of(self, data: str) -> str:
        """Return the SHA-256 of each data set, zeros for one that is not there."""
        return "+".join(self._hash(data, name) for name in self.sets)

    def _hash(self, data: str, name: str) -> str:
        for place in (data, self.beside):
            if name in sets_below(place):
                return place_hash(f"{place.rstrip('/')}/{name}")
        return _UNKNOWN

    def left_out(self, data: str) -> list[Entry]:
        """Return the entries that were not named and whose data set is not there."""
        there = sets_below(data) | sets_below(self.beside)
        return [one for one in self.chosen if one.data and one.data not in there and one.id not in self.entries]

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: Folder or S3 URL with data sets below it. Entries whose set is not there are left out, unless they
                were named.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL where results, shards and checkpoints stay.
        """
        missing = {one.id for one in self.left_out(data)}
        entries, told = [one for one in self.chosen if one.id not in missing], data_hash.split("+")
        known = dict(zip(self.sets, told, strict=True)) if len(told) == len(self.sets) else {}
        hashes = {name: one for name, one in known.items() if one != _UNKNOWN and len(one) == len(_UNKNOWN)}
        return {
            "entries": [{"id": one.id, "data_hash": hashes.get(one.data, "")} for one in entries],
            "places": [place for place in (data, self.beside) if place],
            "size": self.size,
            "seed": self.seed,
            "store": store,
            "threads": self.threads,
        }


def smoke() -> BenchmarkSettings:
    """Return a check that every measurement runs, at the smallest size."""
    return BenchmarkSettings(size="smoke")


def demo() -> BenchmarkSettings:
    """Return figures of minutes on two cores."""
    return BenchmarkSettings(size="demo")


def full() -> BenchmarkSettings:
    """Return the protocols as the page tells them."""
    return BenchmarkSettings(size="full")


PRESETS = {"smoke": smoke, "demo": demo, "full": full}
