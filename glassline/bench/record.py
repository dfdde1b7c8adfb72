"""What was measured, as a small JSON file that is kept: figures, and how they came about."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.settings import Settings


class Block(Settings):
    """A paragraph of Markdown, or a table."""

    text: str = Field("", description="Markdown; '' of a table")
    columns: tuple[str, ...] = Field((), description="heads of the table's columns")
    rows: tuple[tuple[str, ...], ...] = Field((), description="cells")


class Record(Settings):
    """Figures of one or several entries, measured together."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", description="name of its file")
    title: str = Field(min_length=1, description="heading on the page")
    system: Literal["A", "B", "C", "D", "E", "platform"] = Field(description="where on the page it stands")
    order: int = Field(0, ge=0, description="place among those of its system")
    command: str = Field(min_length=1, description="what measured it; several are a line each")
    data: str = Field(min_length=1, description="data set")
    data_hash: str = Field("", description="SHA-256 of the data, '' where there is none or it was not kept")
    protocol: str = Field(min_length=1, description="how it was measured")
    seed: int = Field(0, ge=0, description="seed")
    size: Literal["", "smoke", "demo", "full"] = Field("", description="size of the measurement; '' of a script's")
    machine: str = Field(min_length=1, description="class of the machine")
    code: str = Field("", description="SHA-256 of the code, '' where it was not kept")
    values: dict[str, dict[str, float]] = Field(default={}, description="figures by entry and name")
    body: tuple[Block, ...] = Field((), description="what the page tells beside them, in its order")

    def write(self, folder: str | Path) -> Path:
        """Write it into a folder under its name and return the path."""
        path = Path(folder) / f"{self.name}.json"
        with written_whole(path) as beside:
            beside.write_text(json.dumps(self.model_dump(exclude_defaults=True), indent=1, ensure_ascii=False) + "\n")
        return path


def read_record(path: str | Path) -> Record:
    """Read and check one file.

    Raises:
        DataError: It is missing, no JSON, or breaks a rule; names file and field.
    """
    try:
        return Record.model_validate(json.loads(Path(path).read_text()))
    except (OSError, ValueError, RecursionError) as error:
        told = (
            f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}" if isinstance(error, ValidationError) else error
        )
        raise DataError(f"{path} must be a result of `glassline bench` ({told}); measure it again") from None


def read_records(folders: Iterable[str | Path]) -> list[Record]:
    """Read all files of some folders, sorted by system and place; of two with one name the last counts.

    Raises:
        DataError: A folder is missing, or a file breaks a rule.
    """
    found: dict[str, Record] = {}
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise DataError(f"results must lie in a folder, got {folder}; measure them with `glassline bench`")
        for path in sorted(folder.glob("*.json")):
            record = read_record(path)
            found[record.name] = record
    return sorted(found.values(), key=lambda one: (len(one.system), one.system, one.order, one.name))
