"""Sources: what a new product may learn from, as whole tables of patches or class by class.

Shapes: N rows of a source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable
from glassline.errors import DataError

#: Class of whatever is not clean, where types are not told apart.
DEFECT = "defect"


@dataclass(frozen=True)
class Source:
    """Rows of a table that are chosen together or not at all.

    Attributes:
        name: `PRODUCT/CLASS`, or `PRODUCT` for a whole table; unique among the sources of a run.
        table: Table of patches.
        rows_N: Their positions in it.
    """

    name: str
    table: SampleTable
    rows_N: npt.NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.rows_N)

    @property
    def defective_N(self) -> npt.NDArray[np.bool_]:
        """Whether each row shows a defect: it is not of the table's clean class."""
        return defective_rows(self.table, self.rows_N)


def defective_rows(table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Return whether each of some rows (N,) shows a defect: it is not of the table's clean class."""
    return np.asarray(table.rows["label"].iloc[rows_N] != table.clean_class, np.bool_)


def as_two_classes(table: SampleTable) -> SampleTable:
    """Return a table of patches whose defects are all of class `defect`: a new product has too few of each type.

    Source: system D of the reading, section 3.2: "the two-class classification problem in defect inspection".

    Raises:
        DataError: The table has no clean class.
    """
    clean = table.clean_class
    if not clean or clean == DEFECT:
        raise DataError(
            f"a new product needs a class without defect, and not {DEFECT!r}, got {clean!r}; import it with clean_class"
        )
    told = {name: table.rows[name].where(table.rows[name] == clean, DEFECT) for name in ("label", "unit_label")}
    return replace(table, rows=table.rows.assign(**told), classes=(DEFECT, clean))


def product_of(table: SampleTable) -> str:
    """Return the product whose samples a table holds.

    Raises:
        DataError: It holds none, or those of several.
    """
    products = sorted(set(table.rows["product"].astype(str)))
    if len(products) != 1:
        raise DataError(f"a table must hold the samples of one product, got {products}; import them one by one")
    return products[0]


def sources_of(tables: Sequence[SampleTable], by: Literal["class", "table"] = "class") -> list[Source]:
    """Return the sources of tables of patches, in the order of tables and classes; a class without a row is none.

    Args:
        tables: One table per product.
        by: Whether a source is a class of a table, or all of it.

    Raises:
        DataError: There is no table, two are of one product, or one holds several products.
    """
    products = [product_of(table) for table in tables]
    if not products or len(set(products)) < len(products):
        raise DataError(f"sources must be tables of different products, got {products}; import each under its own name")
    found = []
    for product, table in zip(products, tables, strict=True):
        labels_N = table.rows["label"].to_numpy()
        if by == "table":
            found.append(Source(product, table, np.arange(len(labels_N))))
            continue
        found += [
            Source(f"{product}/{name}", table, np.flatnonzero(labels_N == name))
            for name in table.classes
            if (labels_N == name).any()
        ]
    return found


def named_sources(tables: Sequence[SampleTable], names: Sequence[str]) -> list[Source]:
    """Return the sources of some names, classes or whole tables, in the order of the names.

    Raises:
        DataError: No table has one of them; see `sources_of`.
    """
    known = {source.name: source for source in (*sources_of(tables, "table"), *sources_of(tables, "class"))}
    if strange := sorted(set(names) - set(known)):
        raise DataError(f"sources must be among {list(known)}, got {strange}; measure their affinity again")
    return [known[name] for name in names]
