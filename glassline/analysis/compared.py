"""What a candidate and the champion said of the same units: what the gate decides on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from glassline.data.samples import SampleTable
from glassline.data.storage import written_whole
from glassline.errors import DataError

#: Files of the folder.
ANSWERS, ABOUT = "compared.parquet", "compared.json"
#: Columns of the answers; `seen` tells whether one of both models was trained on the unit.
COLUMNS = ("unit", "group", "product", "actual", "candidate", "champion", "seen")

Product = Literal["new", "old"]


@dataclass(frozen=True, eq=False)
class Compared:
    """A candidate beside the champion.

    Attributes:
        candidate: `name`, `model` and `start` of the candidate.
        export_run: Run of `export_model` that logged its bundle.
        product: Product that it learned from.
        cycle: That product's cycle.
        data_hash: Content hash of what it learned from.
        clean_class: The class without defect among the answers, "" where there is none.
        parity: `largest_difference` and `tolerance`, of the bundle's manifest.
        latency_ms: `median`, `p95`, `units`, `threads` and `machine`.
        answers: One row per unit and product: `COLUMNS`. `champion` is "" where it judged nothing.
        champion: Version that it was compared with, "" where there was no champion.
        champion_run: Its run of `export_model`.
        champion_error: Why the champion could not judge, "" where it did.
        old_error: Why the old product was not compared, "" where it was.
        old_lost: Whether it should have been: the champion left a table of it, which cannot be judged.
        failure: Why the candidate's training failed, "" where it did not; then it has no answers.
        notes: What else a reviewer should know, one line each.
    """

    candidate: dict[str, Any]
    export_run: str
    product: str
    cycle: str
    data_hash: str
    clean_class: str
    parity: dict[str, float]
    latency_ms: dict[str, Any]
    answers: pd.DataFrame
    champion: str = ""
    champion_run: str = ""
    champion_error: str = ""
    old_error: str = ""
    old_lost: bool = False
    failure: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The candidate's name."""
        return str(self.candidate["name"])

    def units(self, product: Product) -> pd.DataFrame:
        """Return the answers on the units of a product that neither model was trained on; none where there is none."""
        rows = self.answers[self.answers["product"] == product]
        return rows[~rows["seen"].astype(bool)]

    def seen_units(self, product: Product) -> int:
        """Return how many units of a product are left out, since one of both models was trained on them."""
        return int(self.answers.loc[self.answers["product"] == product, "seen"].astype(bool).sum())

    def write(self, folder: str | Path) -> None:
        """Write `compared.parquet` and `compared.json`, whole or not at all."""
        about = {name: value for name, value in asdict(self).items() if name != "answers"}
        with written_whole(folder) as beside:
            beside.mkdir(parents=True)
            self.answers[list(COLUMNS)].to_parquet(beside / ANSWERS)
            (beside / ABOUT).write_text(json.dumps(about, indent=2))


def nothing_of(candidate: Mapping[str, Any], export_run: str, table: SampleTable, failure: str) -> Compared:
    """Return the comparison of a candidate whose training failed.

    Args:
        candidate: Its `name`, `model` and `start`.
        export_run: Run of `export_model`, which exported nothing.
        table: Table of patches that it should have learned from.
        failure: Why it failed.
    """
    first = table.rows.iloc[0]
    return Compared(
        candidate=dict(candidate), export_run=export_run, product=str(first["product"]), cycle=str(first["cycle"]),
        data_hash=table.content_hash(), clean_class=table.clean_class, parity={}, latency_ms={},
        answers=pd.DataFrame(columns=list(COLUMNS)), failure=failure,
    )  # fmt: skip


def read_compared(folder: str | Path) -> Compared:
    """Read what `compare_champion` wrote.

    Raises:
        DataError: A file is missing or not as it was written.
    """
    try:
        about = json.loads((Path(folder) / ABOUT).read_text())
        answers = pd.read_parquet(Path(folder) / ANSWERS, columns=list(COLUMNS))
        return Compared(**about, answers=answers)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{folder} must hold {ABOUT} and {ANSWERS} as compare_champion writes them ({error}); run it again"
        ) from error
