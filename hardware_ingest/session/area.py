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
from hardware_ingest.session.faults import DeviceFault, blaming
from hardware_ingest.session.lights import LightsWatch, watch_lights
from hardware_ingest.session.shot import Shot
from hardware_ingest.session.stops import Stop, first_stop
from hardware_ingest.zones import Zone


class AreaScan:
    """Takes every zone that is seen from one stop of the stage."""

    def __init__(self, rig: Rig, crew: CameraCrew) -> None:
        """Take rig and cameras; nothing is contacted yet."""
        #: Frames that came broken and were taken again.
        self.retaken = 0
        self._rig, self._crew, self._settings = rig, crew, rig.settings
        self._watch: LightsWatch | None = None

    def check(self, zones: Sequence[Zone]) -> None:
        """Check the lights where the first of the zones lies."""
        self._move(first_stop(zones, self._settings))
        self._watch = watch_lights(self._rig.illuminator.name, self.look, self._settings)

    def take(self, zones: Sequence[Zone]) -> Iterator[Shot]:
        """Yield what is seen from the first stop, all of it once all is seen."""
        stop = first_stop(zones, self._settings)
        place_mm = self._move(stop, self._settings.light_states[0].groups)
        frames_CSHW = self._all_states()
        for camera, zone in stop.seen:
            off_x_mm, off_y_mm = self._settings.cameras[camera].offset_mm
            yield Shot(zone, camera, place_mm[0] + off_x_mm, place_mm[1] + off_y_mm, frames_CSHW[camera])

    def _move(self, stop: Stop, groups: Sequence[int] = ()) -> tuple[float, float]:
        """Move and settle; the lights switch meanwhile. Returns where the stage stands."""
        with blaming(self._rig.stage):
            self._rig.stage.move_to(stop.x_mm, stop.y_mm)
        self._switch(groups)
        with blaming(self._rig.stage):
            place_mm = self._rig.stage.wait_for_idle()
        time.sleep(self._settings.settle_ms / 1000)
        return place_mm

    def _all_states(self) -> list[Frames]:
        """Return the frames (S, H, W) of every camera; the first state is lit already."""
        states, grid = self._settings.light_states, self._settings.grid
        shape_SHW = (len(states), grid.height_px, grid.width_px)
        frames_CSHW = [np.empty(shape_SHW, np.uint16) for _ in self._settings.cameras]
        travelling = self._crew.expose(states[0].exposure_us)
        for number in range(1, len(states)):
            # The exposure is over: the lights may change while its frame is still on the way.
            self._switch(states[number].groups)
            retaken = self.retaken
            self._store(number - 1, travelling, frames_CSHW)
            if self.retaken > retaken:
                self._switch(states[number].groups)
            travelling = self._crew.expose(states[number].exposure_us)
        self._store(len(states) - 1, travelling, frames_CSHW)
        if self._watch is not None:
            for camera, frames_SHW in enumerate(frames_CSHW):
                with blaming(self._rig.illuminator):
                    self._watch.check(camera, frames_SHW)
        return frames_CSHW

    def _store(self, number: int, travelling: list[Future[Frame]], frames_CSHW: list[Frames]) -> None:
        state = self._settings.light_states[number]
        for camera, frame_HW in enumerate(self.look(state.groups, state.exposure_us, travelling)):
            frames_CSHW[camera][number] = frame_HW

    def look(
        self, groups: Sequence[int], exposure_us: float, travelling: list[Future[Frame]] | None = None
    ) -> list[Frame]:
        """Return every camera's frame under these lights; what came broken is taken again, a few times."""
        for left in reversed(range(self._settings.frame_retries + 1)):
            if travelling is None:
                self._switch(groups)
                travelling = self._crew.expose(exposure_us)
            try:
                return together(travelling)
            except DeviceFault:
                if not left:
                    raise
                self.retaken += 1
                travelling = None
        raise AssertionError("frame_retries is >= 0")

    def _switch(self, groups: Sequence[int]) -> None:
        with blaming(self._rig.illuminator):
            self._rig.illuminator.switch(groups)
