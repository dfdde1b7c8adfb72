"""Write simulated glasses as captures, with what is true of them and what an inspector drew.

OUT/captures/G0001.zarr/clean-00    zones as the rig captures them; marked-00 after the inspector
OUT/truth.json                      masks, boxes and classes of every defect (`glassline.data.labels`)
OUT/contaminants.json               the same of dust, stains and fingerprints, which are no defects
OUT/annotations.json                the inspector's boxes on the marked captures, COCO
OUT/simulation.json                 settings, the stage's errors, kind of every mark
"""

import json
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from glassline.data.annotations.boxes import AnnotatedImage, Annotations
from glassline.data.annotations.coco import write_coco_file
from glassline.data.captures.meta import Kind, ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.data.labels import CONTROL, Labels, ZoneLabels
from glassline.data.storage import check_empty, written_whole
from glassline.settings import Settings
from hardware_ingest.dark_field.glass import Stream, child
from hardware_ingest.dark_field.scene import DarkFieldScene, SceneSettings
from hardware_ingest.dark_field.settings import CONTAMINANTS, DEFECTS, EXPOSURE_US, difficulty_of
from hardware_ingest.dark_field.truth import TrueObject, drawn_boxes, true_objects
from hardware_ingest.devices import AZIMUTHS_DEG, LIGHT_STATES
from hardware_ingest.zones import Zone, ZoneGrid, demo_grid, full_grid

# A zone of full size holds 200 MB while it is rendered.
_MOST_THREADS = 8
_FIRST_GLASS = datetime(2025, 1, 1, tzinfo=UTC)


class GlassSetSettings(Settings):
    """Which glasses to simulate."""

    glasses: int = Field(ge=1, le=9999, description="number of glasses")
    size: Literal["demo", "full"] = Field("demo", description="2 zones of 1024 x 1024 px, or 10 of 3504 x 3120 px")
    seed: int = Field(0, ge=0, description="seed of everything drawn")
    difficulty: str = Field("standard", description="preset of optics, sensor and dirt")
    systematic_rate: float = Field(0.0, ge=0, le=1, description="share of glasses with the tool's scratch")
    marked: bool = Field(True, description="whether every glass is also captured after the inspector")
    product: str = Field("glass", min_length=1, description="product name")
    cycle: str = Field("1", min_length=1, description="product cycle")

    @property
    def grid(self) -> ZoneGrid:
        """Zones of a glass, at the difficulty's pitch."""
        grid = full_grid() if self.size == "full" else demo_grid()
        return grid.model_copy(update={"pitch_um": difficulty_of(self.difficulty).pitch_um})

    def scene(self, number: int, kind: Kind) -> DarkFieldScene:
        """Return a glass under the rig, number >= 1."""
        return DarkFieldScene(
            SceneSettings(
                seed=self.seed, glass=number, kind=kind, difficulty=self.difficulty, grid=self.grid,
                systematic_rate=self.systematic_rate,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class SimulatedZone:
    """One zone that was written.

    Attributes:
        ref: Its name in the captures.
        size_px: Width and height.
        jitter_um: The stage's true place minus where it was sent.
        objects: What is true of it.
    """

    ref: ZoneRef
    size_px: tuple[int, int]
    jitter_um: tuple[float, float]
    objects: list[TrueObject]


def simulate_glasses(settings: GlassSetSettings, out: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """Write a data set; the same settings give the same bytes.

    Args:
        settings: Which glasses.
        out: Folder that is missing or empty; it is written whole or not at all.
        progress: Called with (glasses done, glasses in all).

    Returns:
        Path of truth.json.

    Raises:
        SettingsError: There is no such difficulty.
        StorageError: The folder holds something, or may not be written.
    """
    difficulty_of(settings.difficulty)
    check_empty(out)
    with written_whole(out.resolve()) as beside, ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS)) as pool:
        captures = open_captures(beside / "captures")
        zones: list[SimulatedZone] = []
        for number in range(1, settings.glasses + 1):
            zones += write_glass(settings, captures, number, pool)
            if progress:
                progress(number, settings.glasses)
        write_truth(beside, captures, zones)
        if settings.marked:
            _write_boxes(beside, settings.seed, [zone for zone in zones if zone.ref.kind == "marked"])
        (beside / "simulation.json").write_text(json.dumps(_told(settings, zones), indent=1))
    return out / "truth.json"


def write_glass(
    settings: GlassSetSettings, captures: Captures, number: int, pool: ThreadPoolExecutor
) -> list[SimulatedZone]:
    """Render one glass into captures and return its zones.

    Args:
        settings: What it is like; `glasses` does not matter.
        captures: Where it goes.
        number: Number of the glass, >= 1.
        pool: Threads that render zones.
    """
    scenes = [settings.scene(number, kind) for kind in _kinds(settings)]
    tasks = [(scene, zone) for scene in scenes for zone in settings.grid.zones()]
    return list(pool.map(lambda task: _write_zone(settings, captures, *task), tasks))


def glass_id(number: int) -> str:
    """Return the id of a simulated glass, such as G0001."""
    return f"G{number:04d}"


def zone_meta(settings: GlassSetSettings, number: int, kind: Kind, zone: Zone) -> ZoneMeta:
    """Return how a simulated zone was taken; its time follows from number, kind and zone."""
    seconds = 60 * number + 0.8 * zone.index + (86_400 if kind == "marked" else 0)
    return ZoneMeta(
        product=settings.product, cycle=settings.cycle, glass=glass_id(number), kind=kind, zone=zone.index,
        stage_x_mm=zone.x_mm, stage_y_mm=zone.y_mm, exposure_us=(EXPOSURE_US,) * LIGHT_STATES, gain_db=0.0,
        azimuths_deg=AZIMUTHS_DEG, camera_model="simulated", camera_serial=f"seed-{settings.seed}", pattern="GRBG",
        bit_depth=12, pitch_um=settings.grid.pitch_um, overlap_px=settings.grid.overlap_px,
        taken_utc=(_FIRST_GLASS + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    )  # fmt: skip


def _kinds(settings: GlassSetSettings) -> tuple[Kind, ...]:
    return ("clean", "marked") if settings.marked else ("clean",)


def _write_zone(settings: GlassSetSettings, captures: Captures, scene: DarkFieldScene, zone: Zone) -> SimulatedZone:
    place, frames_SHW = scene.capture(zone)
    meta = zone_meta(settings, scene.settings.glass, scene.settings.kind, zone)
    captures.write(meta, frames_SHW)
    x_mm, y_mm = scene.jitter_mm(zone.x_mm, zone.y_mm)
    size_px = place.view.width_px, place.view.height_px
    return SimulatedZone(meta.ref, size_px, (x_mm * 1000, y_mm * 1000), true_objects(place))


def write_truth(folder: Path, captures: Captures, zones: list[SimulatedZone]) -> None:
    """Write truth.json and contaminants.json of zones whose captures lie in `folder`/captures."""
    clean = [zone for zone in zones if zone.ref.kind == "clean"]
    content = captures.content_hash([zone.ref for zone in clean])
    for name, classes in (("truth.json", DEFECTS), ("contaminants.json", CONTAMINANTS)):
        labels = Labels(
            captures="captures", captures_hash=content, classes=(*classes, CONTROL),
            zones=tuple(_zone_labels(zone, classes) for zone in clean),
        )  # fmt: skip
        labels.write(folder / name)


def _zone_labels(zone: SimulatedZone, classes: Iterable[str]) -> ZoneLabels:
    return ZoneLabels(
        glass=zone.ref.glass, zone=zone.ref.zone, width_px=zone.size_px[0], height_px=zone.size_px[1],
        objects=tuple(item.label for item in zone.objects if item.mark.label in classes),
    )  # fmt: skip


def _write_boxes(folder: Path, seed: int, marked: list[SimulatedZone]) -> None:
    images = []
    for zone in marked:
        rng = np.random.default_rng(child(seed, Stream.boxes, int(zone.ref.glass[1:]), zone.ref.zone))
        boxes = drawn_boxes(zone.objects, *zone.size_px, rng)
        images.append(AnnotatedImage(f"{zone.ref.image_name}.png", zone.size_px, list(boxes)))
    write_coco_file(Annotations(images, DEFECTS), folder)


def _told(settings: GlassSetSettings, zones: list[SimulatedZone]) -> dict[str, Any]:
    return {
        "settings": settings.model_dump(),
        "difficulty": difficulty_of(settings.difficulty).model_dump(),
        "jitter_um": {zone.ref.image_name: [round(value, 3) for value in zone.jitter_um] for zone in zones},
        "objects": [
            {
                "image": zone.ref.image_name, "label": item.mark.label, "kind": item.mark.kind,
                "systematic": item.mark.systematic, "bbox": item.label.bbox,
            }
            for zone in zones for item in zone.objects
        ],
    }  # fmt: skip
