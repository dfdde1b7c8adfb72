"""The light of each rig: level, spread and saturation of the background, for each light state.

Defects cover little of an image, so its median is its background. Levels are in 255ths of white, whatever the bit
depth, so that rigs and cycles compare. Shapes: S light states x H x W pixels.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.data.images import read_grey
from glassline.data.samples import SampleTable
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.vision.exposure import check_exposed
from glassline.vision.normalise import MAD_TO_SIGMA

#: Grey levels from 0 to 255, of which each image's histogram has as many shares.
BINS = 256

_READERS, _MOST_ZONES = 16, 2000
# Every third pixel both ways: background needs no more, and odd steps meet every colour of a mosaic.
_STEP_PX = 3


@dataclass(frozen=True)
class LightLevels:
    """What was measured.

    Attributes:
        images: One row per image and light state: `image`, `rig`, `state`, `background` and `spread` in 255ths of
            white, `saturated` (share at white), `even` (share at its most frequent level), `histogram` (BINS shares).
        unreadable: Image to why its light cannot be used.
        of_images: How many images the table has; those measured are spread evenly over it.
    """

    images: pd.DataFrame
    unreadable: dict[str, str]
    of_images: int

    @property
    def rigs(self) -> pd.DataFrame:
        """One row per rig and light state; see `by_rig`."""
        return by_rig(self.images)


def measure_light(table: SampleTable, per_rig: int, most_saturated: float, most_even: float) -> LightLevels:
    """Measure at most so many images of each rig: a camera where captures tell, else a source of images.

    Args:
        table: Table of images.
        per_rig: Images of a rig, spread evenly over the table.
        most_saturated: Share of an image at white above which it cannot be used; zones of captures are judged by
            `check_exposed`.
        most_even: Share at one level above which it shows nothing.
    """
    rows, unreadable = [], dict[str, str]()
    for rig, image, read in _chosen(table, per_rig):
        try:
            levels_SHW, white = read()
            if levels_SHW.shape[0] == 1 and PurePosixPath(image).parent.suffix != ".zarr":
                _check_readable(levels_SHW[0], white, most_saturated, most_even)
        except DataError as error:
            unreadable[image] = str(error)
            continue
        rows += [
            {"image": image, "rig": rig, "state": state, **_levels(level_HW, white)}
            for state, level_HW in enumerate(levels_SHW)
        ]
    columns = ["image", "rig", "state", "background", "spread", "saturated", "even", "histogram"]
    return LightLevels(pd.DataFrame(rows, columns=columns), unreadable, len(table.rows))


#: Columns of what `by_rig` returns.
RIG_COLUMNS = ("rig", "state", "images", "background", "low", "high", "spread", "saturated", "histogram")


def by_rig(images: pd.DataFrame) -> pd.DataFrame:
    """Return a row per rig and light state of `LightLevels.images`.

    Columns: `rig`, `state`, `images`, `background` (median over images), `low` and `high` (5 and 95 %), `spread`,
    `saturated` (means), `histogram`.
    """
    grouped = images.groupby(["rig", "state"], sort=True)
    level = grouped["background"]
    table = pd.DataFrame(
        {
            "images": grouped.size(), "background": level.median(), "low": level.quantile(0.05),
            "high": level.quantile(0.95), "spread": grouped["spread"].mean(), "saturated": grouped["saturated"].mean(),
            "histogram": grouped["histogram"].agg(lambda all_: list(np.mean(np.stack(list(all_)), axis=0))),
        }
    )  # fmt: skip
    return table.reset_index()


_Read = Callable[[], tuple[npt.NDArray[np.unsignedinteger[Any]], int]]


def _chosen(table: SampleTable, per_rig: int) -> Iterator[tuple[str, str, _Read]]:
    """Yield rig, image and how to read it: levels (S, H, W) and the level of white."""
    rows = table.rows.sort_values("id")
    zone_N = rows["image"].map(lambda image: PurePosixPath(image).parent.suffix == ".zarr")
    for source, of_source in rows[~zone_N].groupby("source", sort=True):
        for row in _spread(of_source, per_rig).to_dict("records"):
            yield f"images ({source})", row["image"], _image_reader(table.root, row["image"], int(row["bit_depth"]))
    if zone_N.any():
        yield from _zones(table.root, list(_spread(rows[zone_N], _MOST_ZONES)["image"]), per_rig)


def _zones(root: str, zones: list[str], per_rig: int) -> Iterator[tuple[str, str, _Read]]:
    captures = open_captures(root)
    with ThreadPoolExecutor(_READERS) as pool:
        metas = list(pool.map(lambda zone: captures.meta(ZoneRef.of_path(zone)), zones))
    found = pd.DataFrame({"image": zones, "meta": metas})
    found["rig"] = [f"{meta.camera_model} {meta.camera_serial}" for meta in metas]
    for rig, of_rig in found.groupby("rig", sort=True):
        for row in _spread(of_rig, per_rig).to_dict("records"):

            def read(meta: Any = row["meta"]) -> tuple[npt.NDArray[np.uint16], int]:
                frames_SHW = captures.read(meta.ref)
                check_exposed(frames_SHW, meta)
                return frames_SHW, 2**meta.bit_depth - 1

            yield str(rig), row["image"], read


def _image_reader(root: str, image: str, bit_depth: int) -> _Read:
    def read() -> tuple[npt.NDArray[np.uint8], int]:
        with open_store(root).opened(image) as path:
            window = (0, 2**bit_depth - 1) if bit_depth > 8 else None
            return read_grey(path, window)[None], 255

    return read


def _spread(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return at most so many rows, spread evenly."""
    if len(rows) <= most:
        return rows
    return rows.iloc[np.linspace(0, len(rows) - 1, most).round().astype(int)]


def _check_readable(
    level_HW: npt.NDArray[np.unsignedinteger[Any]], white: int, most_saturated: float, most_even: float
) -> None:
    saturated, even = float(np.mean(level_HW >= white)), _even(level_HW)
    if saturated > most_saturated:
        raise DataError(
            f"at most {most_saturated:.0%} of an image may be at white, got {saturated:.0%}; lower the exposure"
        )
    if even > most_even:
        raise DataError(
            f"at most {most_even:.0%} of an image may be at one grey level, got {even:.0%}; check lamp and lens cap"
        )


def _levels(level_HW: npt.NDArray[np.unsignedinteger[Any]], white: int) -> dict[str, Any]:
    thin_N = level_HW[::_STEP_PX, ::_STEP_PX].ravel().astype(np.float32) * (255 / white)
    median = float(np.median(thin_N))
    count_B, _ = np.histogram(thin_N, BINS, (0, 255))
    return {
        "background": median, "spread": MAD_TO_SIGMA * float(np.median(np.abs(thin_N - median))),
        "saturated": float(np.mean(level_HW >= white)), "even": _even(level_HW),
        "histogram": list(count_B / len(thin_N)),
    }  # fmt: skip


def _even(level_HW: npt.NDArray[np.unsignedinteger[Any]]) -> float:
    """Return the share of pixels at the most frequent level."""
    return float(np.bincount(level_HW[::_STEP_PX, ::_STEP_PX].ravel()).max() / level_HW[::_STEP_PX, ::_STEP_PX].size)
