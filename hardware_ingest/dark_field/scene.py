"""A glass under the simulated rig, for the simulated camera to look at."""

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from glassline.data.captures.meta import Kind
from glassline.data.captures.store import Frames
from glassline.settings import Settings
from hardware_ingest.dark_field.glass import Stream, child, draw_glass
from hardware_ingest.dark_field.light import Ground, Ring
from hardware_ingest.dark_field.place import Place
from hardware_ingest.dark_field.scatter import View
from hardware_ingest.dark_field.sensor import Sensor
from hardware_ingest.dark_field.settings import EXPOSURE_US, difficulty_of
from hardware_ingest.devices import LIGHT_STATES, Frame
from hardware_ingest.zones import Zone, ZoneGrid, demo_grid


class SceneSettings(Settings):
    """Which glass lies on the simulated rig; as JSON it makes the same scene in another process."""

    seed: int = Field(0, ge=0, description="seed of the data set")
    glass: int = Field(1, ge=0, description="number of the glass")
    kind: Kind = Field("clean", description="as it leaves the washer, or after the inspector's pen")
    difficulty: str = Field("standard", description="preset of optics, sensor and dirt")
    grid: ZoneGrid = Field(default_factory=demo_grid, description="zones: the glass's size, the view, the pitch")
    systematic_rate: float = Field(0.0, ge=0, le=1, description="share of glasses with the tool's scratch")


class DarkFieldScene:
    """One glass on the rig, a `hardware_ingest.devices.Scene`.

    Every move has its own error, every exposure its own noise; both follow from the seed, the place, and
    how often it was come to: another order of zones gives the same frames.
    """

    def __init__(self, settings: SceneSettings) -> None:
        """Draw the glass and the rig.

        Raises:
            SettingsError: There is no such difficulty.
        """
        self.settings = settings
        self.difficulty = difficulty_of(settings.difficulty)
        self.glass = draw_glass(
            settings.glass, settings.seed, settings.kind, self.difficulty, settings.grid, settings.systematic_rate
        )
        self._ring = Ring(settings.seed, self.difficulty, settings.grid.width_px, settings.grid.height_px)
        self._ground = Ground(self.difficulty, self.glass.size_mm)
        self._sensor = Sensor(settings.seed, self.difficulty)
        self._visits: dict[tuple[int, int], int] = {}
        self._at: tuple[int, int] | None = None
        self._exposures = 0
        self._place: Place | None = None

    def expose(
        self, x_mm: float, y_mm: float, groups: Sequence[int], exposure_us: float, gain_db: float,
        size_px: tuple[int, int],
    ) -> Frame:  # fmt: skip
        """Return one 12-bit GRBG mosaic (H, W), with fresh noise; see `hardware_ingest.devices.Scene`."""
        at = _um(x_mm, y_mm)
        if at != self._at:
            self._visits[at] = self._visits.get(at, -1) + 1
            self._at, self._exposures, self._place = at, 0, None
        visit = self._visits[at]
        if self._place is None or (self._place.view.width_px, self._place.view.height_px) != tuple(size_px):
            self._place = self.place(x_mm, y_mm, size_px, visit)
        noise = child(self.settings.seed, Stream.noise, *self._of(at), visit, self._exposures)
        self._exposures += 1
        return self._frame(self._place, groups, exposure_us, gain_db, noise)

    def capture(self, zone: Zone) -> tuple[Place, Frames]:
        """Return what `expose` shows of a zone in six light states at the first visit; any number at the same time.

        Returns:
            The place, for what is true of it, and the frames (S, H, W).
        """
        place = self.place(zone.x_mm, zone.y_mm)
        of = self._of(_um(zone.x_mm, zone.y_mm))
        frames_SHW = np.empty((LIGHT_STATES, place.view.height_px, place.view.width_px), np.uint16)
        for state in range(LIGHT_STATES):
            noise = child(self.settings.seed, Stream.noise, *of, 0, state)
            frames_SHW[state] = self._frame(place, (state, state + LIGHT_STATES), EXPOSURE_US, 0.0, noise)
        return place, frames_SHW

    def _frame(
        self, place: Place, groups: Sequence[int], exposure_us: float, gain_db: float, noise: np.random.SeedSequence
    ) -> Frame:
        rate_HW = place.rate(sorted(set(groups)), self.difficulty.stray_rate)
        return self._sensor.read_out(rate_HW, exposure_us, gain_db, np.random.Generator(np.random.SFC64(noise)))

    def place(self, x_mm: float, y_mm: float, size_px: tuple[int, int] | None = None, visit: int = 0) -> Place:
        """Return what is seen, without noise, when the stage is sent to a place for the nth time, 0 first.

        Args:
            x_mm: Where the stage is sent, x.
            y_mm: Where the stage is sent, y.
            size_px: Width and height of the region read out; the zone's by default.
            visit: How often it was there before.
        """
        width_px, height_px = size_px or (self.settings.grid.width_px, self.settings.grid.height_px)
        dx_mm, dy_mm = self.jitter_mm(x_mm, y_mm, visit)
        view = View(
            x_mm + dx_mm, y_mm + dy_mm, width_px, height_px, self.settings.grid.pitch_um, self.difficulty.blur_px
        )
        return Place(self.glass, view, self._ring, self._ground)

    def jitter_mm(self, x_mm: float, y_mm: float, visit: int = 0) -> tuple[float, float]:
        """Return the stage's true place minus where it was sent, for the nth visit, 0 first."""
        rng = np.random.default_rng(child(self.settings.seed, Stream.jitter, *self._of(_um(x_mm, y_mm)), visit))
        x, y = self.difficulty.jitter_um / 1000 * rng.standard_normal(2)
        return float(x), float(y)

    def _of(self, at: tuple[int, int]) -> tuple[int, int, int, int]:
        return self.settings.glass, int(self.settings.kind == "marked"), *at


def _um(x_mm: float, y_mm: float) -> tuple[int, int]:
    return round(x_mm * 1000), round(y_mm * 1000)


def make_scene(settings: SceneSettings | None = None) -> DarkFieldScene:
    """Return the scene that settings describe.

    Raises:
        SettingsError: There is no such difficulty.
    """
    return DarkFieldScene(settings or SceneSettings())
