"""Score the zones of glasses that the network was not trained on."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from glassline.data.captures.store import Captures, Frames, open_captures
from glassline.data.glass_split import numbers_of, read_split
from glassline.data.samples import read_samples
from glassline.data.storage import code_hash, content_key, folder_hash, written_whole
from glassline.data.store import Store, open_store
from glassline.steps.train_unet import SPLIT, captured_zones
from glassline.tracking import step_run
from glassline.vision.double_threshold import DoubleThresholdSettings, threshold
from glassline.vision.exposure import check_exposed
from glassline.vision.labelled_zones import LabelledZones
from glassline.vision.light_states import Real, respond
from glassline.vision.scratches import FindSettings, Scratch, find_scratches
from glassline.vision.tiles import RunNetwork, TileSettings, score_zone

if TYPE_CHECKING:
    from glassline.training.fitted_segmenter import FittedSegmenter

#: Files of the segments folder.
ZONES, SCRATCHES = "zones.parquet", "scratches.parquet"
#: Files of a zone's folder in the store: score maps of the network and of the classical model, 0 to 1 as 8 bit.
SCORE, CLASSICAL = "score.png", "classical.png"
_TOLD = "zone.json"
_ZONE_COLUMNS = {
    "image": str, "glass": str, "side": str, "defective": bool, "peak": float, "classical_peak": float,
    "seconds": float, "maps": str,
}  # fmt: skip
_SCRATCH_COLUMNS = [field.name for field in fields(Scratch)]


def segment_captures(
    samples_path: str, model_path: str, part: int, parts: int, tiles: Mapping[str, Any], find: Mapping[str, Any],
    store: str, segments_path: str,
) -> None:  # fmt: skip
    """Score the validation and test zones of one part, with the network and with the classical model.

    Score maps stay in the store, named by model and zone: what a killed try scored is not scored again.

    Args:
        samples_path: Table of images.
        model_path: Folder written by `train_unet`.
        part: Which part of the zones this is, from 0.
        parts: Number of parts.
        tiles: Fields of `TileSettings`.
        find: Fields of `FindSettings`; its high threshold does not matter here.
        store: Folder or S3 URL for score maps.
        segments_path: Folder for `zones.parquet` (one row per zone: image, glass, side of the split, defective, peak
            of the network and of the classical model, seconds, folder of the score maps) and `scratches.parquet` (one
            row per scratch over the low threshold).

    Raises:
        DataError: A zone is damaged, saturated or black, or has other light states, pattern or depth than the model was
            trained on; names it.
    """
    from glassline.training.fitted_segmenter import load_segmenter
    from glassline.training.run_network import run_network

    params = {"part": part, "parts": parts, "tiles": dict(tiles), "find": dict(find)}
    with step_run("segment_captures", params, part=f"zones {int(part) + 1} of {int(parts)}") as run:
        fitted, split = load_segmenter(model_path), read_split(Path(model_path) / SPLIT)
        zones = captured_zones(read_samples(samples_path, "images"), fitted.settings.labels)
        side_of = {glass: side for side in ("validation", "test") for glass in getattr(split, side)}
        chosen = numbers_of(zones.groups, side_of)[int(part) :: int(parts)]
        scorer = _Scorer(
            zones, open_captures(zones.root), fitted, run_network(fitted), TileSettings.parse(tiles),
            FindSettings.parse({**find, "high": FindSettings.parse(find).low}), folder_hash(model_path),
            open_store(store),
        )  # fmt: skip
        rows, scratches = [], []
        for done, number in enumerate(chosen, 1):
            told = scorer.told(number)
            scratches += [{"image": told["image"], "glass": told["glass"], **one} for one in told.pop("scratches")]
            rows.append({**told, "side": side_of[told["glass"]], "defective": zones.has_any(number)})
            run.progress(done, len(chosen), "zones")
        with written_whole(segments_path) as beside:
            beside.mkdir(parents=True)
            pd.DataFrame(rows, columns=list(_ZONE_COLUMNS)).astype(_ZONE_COLUMNS).to_parquet(beside / ZONES)
            pd.DataFrame(scratches, columns=["image", "glass", *_SCRATCH_COLUMNS]).to_parquet(beside / SCRATCHES)
        run.metrics({"zones": len(rows), "scratches": len(scratches), "seconds": sum(row["seconds"] for row in rows)})


@dataclass(frozen=True)
class _Scorer:
    """What zones are scored with."""

    zones: LabelledZones
    captures: Captures
    fitted: "FittedSegmenter"
    run: RunNetwork
    tiles: TileSettings
    find: FindSettings
    model_hash: str
    store: Store

    def told(self, number: int) -> dict[str, Any]:
        """Return what is known of a zone; it is scored unless the store knows it."""
        what = [
            self.model_hash, self.zones.images[number], self.zones.hashes[number], self.tiles.model_dump(),
            self.find.model_dump(), code_hash("models", "training", "vision", "data"),
        ]  # fmt: skip
        key = content_key(what)
        place = self.store.made(f"scores/{key}", lambda folder: self._score(number, folder))
        return {**json.loads(place.file(_TOLD).read_text()), "maps": place.url}

    def _score(self, number: int, folder: Path) -> None:
        settings, meta = self.fitted.settings, self.captures.meta(self.zones.ref(number))
        frames_SHW = self.zones.frames(number, self.fitted.format)
        check_exposed(frames_SHW, meta)
        started = time.perf_counter()
        scores = score_zone(
            lambda window: self.zones.frames(number, self.fitted.format, window), self.zones.sizes_px[number],
            self.fitted.format, self.run, self.tiles, settings.unet.block_px, settings.direction_blind,
            meta.pitch_um,
        )  # fmt: skip
        found = find_scratches(scores, self.find)
        seconds = time.perf_counter() - started
        classical_HW = self._classical(frames_SHW, meta.pitch_um)
        told = {
            "image": self.zones.images[number], "glass": self.zones.groups[number],
            "peak": min(max((one.peak for one in found), default=0.0), 1.0),
            "classical_peak": float(classical_HW.max()), "seconds": seconds,
            "scratches": [asdict(one) for one in found],
        }  # fmt: skip
        folder.mkdir(parents=True)
        write_score(folder / SCORE, scores.score_hw)
        write_score(folder / CLASSICAL, classical_HW)
        (folder / _TOLD).write_text(json.dumps(told))

    def _classical(self, frames_SHW: Frames, pitch_um: float) -> Real:
        """Return the classical model's score (H, W) of what it takes for a scratch, 0 elsewhere."""
        response = respond(frames_SHW, self.fitted.format.pattern, self.fitted.format.azimuths_deg)
        found = threshold(response, pitch_um, DoubleThresholdSettings())
        return np.asarray(np.where(found.mask_HW, found.score_HW, 0), np.float32)


def write_score(path: Path, score_hw: Real) -> None:
    """Write a score map in [0, 1] as PNG of 8 bit."""
    import cv2

    path.write_bytes(bytes(cv2.imencode(".png", (score_hw.clip(0, 1) * 255).round().astype("uint8"))[1]))


def read_score(maps: str, name: str) -> Real:
    """Read a score map that `write_score` wrote, of the folder that `zones.parquet` names."""
    from glassline.data.images import read_grey

    with open_store(maps).opened(name) as path:
        return read_grey(path).astype(np.float32) / np.float32(255)
