"""A small table of patches on disk."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glassline.data.samples import SampleTable
from glassline.data.shards import ShardWriter

MakeTable = Callable[..., SampleTable]


@pytest.fixture
def make_table(tmp_path: Path) -> MakeTable:
    """Write patches and return their table: make_table(labels=[...], metadata=[...], patches_NHW=...)."""

    def make(
        labels: list[str],
        metadata: np.ndarray | None = None,
        patches_NHW: np.ndarray | None = None,
        classes: tuple[str, ...] = ("dent", "mold"),
        groups: list[str] | None = None,
        name: str = "shards",
        **columns: list,
    ) -> SampleTable:
        count = len(labels)
        if patches_NHW is None:
            patches_NHW = np.random.default_rng(0).integers(0, 256, (count, 112, 112), dtype=np.uint8)
        writer = ShardWriter(tmp_path / name, "patch", patches_NHW.shape[1])
        places = [writer.append(patch_HW) for patch_HW in patches_NHW]
        writer.close()
        if metadata is None:
            metadata = np.random.default_rng(1).normal(size=(count, 3))
        rows = pd.DataFrame(
            {
                "id": [f"p{n}" for n in range(count)], "image": "i", "shard": [shard for shard, _ in places],
                "row": [row for _, row in places], "label": labels, "unit": [f"p{n}" for n in range(count)],
                "unit_label": labels, "has_mask": False, "overlap": np.nan, "x_mm": metadata[:, 0],
                "y_mm": metadata[:, 1], "zone": "", "crop_x_px": 0, "crop_y_px": 0, "crop_px": 112,
                "group": groups or [f"g{n}" for n in range(count)], "product": "", "cycle": "", "source": "",
                "sha256": [f"{patch_HW.sum()}" for patch_HW in patches_NHW], "attr_area": metadata[:, 2], **columns,
            }
        )  # fmt: skip
        return SampleTable(rows, "patches", str(tmp_path / name), classes)

    return make
