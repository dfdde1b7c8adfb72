"""The report's section on a balanced subset with a share held out, and the files it is made of.

A folder holds `table.parquet`, `classes.parquet` and figures `confusion_….png`, beside what nobody reads on the page.
"""

from pathlib import Path

import pandas as pd

from glassline.errors import DataError
from glassline.report.page import PageFigure, Section, SectionTable
from glassline.report.tables import rows_of

#: One row per method: its figures over all classes, then `precision_…` and `recall_…` of each.
TABLE = "table.parquet"
#: One row per class: class, patches, trained_on, held_out, copies.
CLASSES = "classes.parquet"

_OVERALL = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high", "f1_of_means")


def hold_out_sections(folder: str | Path) -> list[Section]:
    """Return the page's section: methods, precision and recall of each class, what was drawn, confusion matrices.

    Args:
        folder: What `hold_out` wrote.

    Raises:
        DataError: A file is missing; names it.
    """
    folder = Path(folder)
    missing = [name for name in (TABLE, CLASSES) if not (folder / name).is_file()]
    if missing:
        raise DataError(f"{folder} must hold a balanced hold-out, missing: {', '.join(missing)}; run hold_out again")
    table, classes = pd.read_parquet(folder / TABLE), pd.read_parquet(folder / CLASSES)
    methods: list[dict[str, object]] = [
        {"method": one["model"], **{name: one[name] for name in _OVERALL}} for one in table.to_dict("records")
    ]
    figures = [
        PageFigure((folder / f"confusion_{name}.png").read_bytes(), f"Confusion matrix of {name}, patches held out")
        for name in table["model"]
        if (folder / f"confusion_{name}.png").is_file()
    ]
    tables = [
        SectionTable("Methods", methods),
        SectionTable("Precision and recall of each class", _by_class(table, list(classes["class"]))),
        SectionTable("Patches of each class", rows_of(classes)),
    ]
    return [Section("Balanced hold-out", figures, _note(classes), tables)]


def _by_class(table: pd.DataFrame, classes: list[str]) -> list[dict[str, object]]:
    return [
        {
            "method": one["model"],
            "measure": measure,
            **{name: one[f"{measure}_{name}"] for name in classes},
            "average": one[f"macro_{measure}"],
        }
        for one in table.to_dict("records")
        for measure in ("precision", "recall")
    ]


def _note(classes: pd.DataFrame) -> str:
    patches, held = int(classes["patches"].sum()), int(classes["held_out"].sum())
    return (
        f"As many patches of each class as the smallest one has, {int(classes['patches'].iloc[0]):,}, were drawn. Of "
        f"these {patches:,}, {held:,} ({held / patches:.1%}) were held out in whole groups, so that no part is on both "
        "sides, and each is judged by itself. Methods were trained on the others and their augmented copies. Low and "
        "high are the ends of 95 % intervals."
    ).replace(" %", "\u00a0%")
