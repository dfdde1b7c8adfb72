"""Which code a result is of, so that the page and the command line can tell results of other code."""

from collections.abc import Iterable

from glassline.bench.catalogue import catalogue
from glassline.bench.record import Record
from glassline.data.storage import code_hash

_MEASURES = ("bench", "models", "training", "analysis", "vision", "data")


def measures_code() -> str:
    """Return one SHA-256 over what the measuring functions call."""
    return code_hash(*_MEASURES)


def library_code() -> str:
    """Return one SHA-256 over the whole library, which scripts and commands may call any of."""
    return code_hash("")


def of_other_code(records: Iterable[Record]) -> list[Record]:
    """Return the records of other code than this; what was kept by hand tells none and is not among them."""
    now = {True: measures_code(), False: library_code()}
    return [one for one in records if one.code and one.code != now[one.name in catalogue()]]
