"""Area scan: for each stop move, settle; for each light state switch, expose, read.

A frame travels while the lights switch to the next state.

Shapes: C cameras x S light states x H x W pixels.
"""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future

import numpy as np

from glassline.data.captures.store import Frames
from hardware_ingest.devices import Frame
from hardware_ingest.rig.build import Rig
from hardware_ingest.session.crew import CameraCrew, together
from hardware_ingest.session.faults import blaming
from hardware_ingest.session.lights import LightsWatch, watch_lights
from hardware_ingest.session.shot import Shot
from hardware_ingest.session.stops import Stop, plan_stops
from hardware_ingest.zones import Zone


class AreaScan:
    """Takes every zone that is seen from one stop of the stage."""

    def __init__(self, rig: Rig, crew: CameraCrew) -> None:
        """Take rig and cameras; nothing is contacted yet."""
        self._rig, self._crew, self._settings = rig, crew, rig.settings
        self._watch: LightsWatch | None = None

    def check(self, zones: Sequence[Zone]) -> None:
        """Check the lights where the first of the zones lies."""
        self._move(self._stop(zones))
        self._watch = watch_lights(self._rig.illuminator.name, self._look, self._settings)

    def take(self, zones: Sequence[Zone]) -> Iterator[Shot]:
        """Yield what is seen from the first stop, all of it once all is seen."""
        stop = self._stop(zones)
        place_mm, frames_CSHW = self._frames(stop)
        for camera, zone in stop.seen:
            off_x_mm, off_y_mm = self._settings.cameras[camera].offset_mm
            yield Shot(zone, camera, place_mm[0] + off_x_mm, place_mm[1] + off_y_mm, frames_CSHW[camera])

    def _stop(self, zones: Sequence[Zone]) -> Stop:
        return plan_stops(zones, [camera.offset_mm for camera in self._settings.cameras])[0]

    def _frames(self, stop: Stop) -> tuple[tuple[float, float], list[Frames]]:
        """Return where the stage stood, and the frames of every camera."""
        states, grid = self._settings.light_states, self._settings.grid
        shape_SHW = (len(states), grid.height_px, grid.width_px)
        frames_CSHW = [np.empty(shape_SHW, np.uint16) for _ in self._settings.cameras]
        place_mm = self._move(stop, states[0].groups)
        travelling = self._crew.expose(states[0].exposure_us)
        for number in range(1, len(states)):
            # The exposure is over: the lights may change while its frame is still on the way.
            self._switch(states[number].groups)
            self._receive(travelling, frames_CSHW, number - 1)
            travelling = self._crew.expose(states[number].exposure_us)
        self._receive(travelling, frames_CSHW, len(states) - 1)
        return place_mm, frames_CSHW

    def _move(self, stop: Stop, groups: Sequence[int] = ()) -> tuple[float, float]:
        """Move and settle; the lights switch meanwhile. Returns where the stage stands."""
        with blaming(self._rig.stage):
            self._rig.stage.move_to(stop.x_mm, stop.y_mm)
        self._switch(groups)
        with blaming(self._rig.stage):
            place_mm = self._rig.stage.wait_for_idle()
        time.sleep(self._settings.settle_ms / 1000)
        return place_mm

    def _switch(self, groups: Sequence[int]) -> None:
        with blaming(self._rig.illuminator):
            self._rig.illuminator.switch(groups)

    def _receive(self, travelling: list[Future[Frame]], frames_CSHW: list[Frames], number: int) -> None:
        for camera, frame_HW in enumerate(together(travelling)):
            frames_CSHW[camera][number] = frame_HW
            if self._watch is not None:
                with blaming(self._rig.illuminator):
                    self._watch.check(camera, self._settings.light_states[number], frame_HW)

    def _look(self, groups: Sequence[int], exposure_us: float) -> list[Frame]:
        self._switch(groups)
        return together(self._crew.expose(exposure_us))
