"""What a measuring function is handed, and what it returns."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from glassline.bench.entry import Size
from glassline.bench.record import Block
from glassline.data.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Bench:
    """Where and how large to measure.

    Attributes:
        data: Folder or S3 URL of the entry's data set, "" for none.
        size: How large.
        seed: Seed of draws and fits.
        store: Where shards, checkpoints and finished parts stay.
        threads: CPU threads; 0 takes all cores.
    """

    data: str
    size: Size
    seed: int
    store: Store
    threads: int = 1

    def sized(self, smoke: int, demo: int, full: int) -> int:
        """Return the number of this size."""
        return {"smoke": smoke, "demo": demo, "full": full}[self.size]


@dataclass
class Measured:
    """Figures by the names that the catalogue's published ones have, and others.

    Attributes:
        values: Numbers; those that are not finite are left out.
        body: What else the page tells.
        figure: A picture of them; where there is none, one of published and ours is drawn.
    """

    values: dict[str, float]
    body: list[Block] = field(default_factory=list)
    figure: "Figure | None" = None


def table_block(rows: pd.DataFrame) -> Block:
    """Return a table of numbers as cells, rounded to three places."""
    cells = [
        tuple(f"{value:.3f}" if isinstance(value, float) else str(value) for value in row)
        for row in rows.to_numpy(object)
    ]
    return Block(columns=tuple(map(str, rows.columns)), rows=tuple(cells))
