"""Line scan: the glass moves on without a stop, its encoder fires the camera's lines, zones are cut from the strip.

Shapes: C cameras x S = 1 light state x H x W pixels.
"""

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from itertools import chain

import numpy as np

from glassline.errors import DeviceError
from hardware_ingest.devices import Frame
from hardware_ingest.rig.build import Rig
from hardware_ingest.session.crew import CameraCrew, together
from hardware_ingest.session.faults import DeviceFault, blaming
from hardware_ingest.session.lights import background
from hardware_ingest.session.shot import Shot
from hardware_ingest.session.stops import NEAR_MM, Stop, first_stop
from hardware_ingest.zones import Zone


class LineScan:
    """Takes all zones of a strip, from the first that is asked for to the last."""

    def __init__(self, rig: Rig, crew: CameraCrew) -> None:
        """Take rig and cameras; nothing is contacted yet."""
        #: A broken frame of a moving strip cannot be taken again: the strip is.
        self.retaken = 0
        self._rig, self._crew, self._settings = rig, crew, rig.settings
        self._state = rig.settings.light_states[0]

    def check(self, zones: Sequence[Zone]) -> None:
        """Take a frame without light and one with, where the first of the zones lies."""
        limits, name = self._settings.lights_check, self._rig.illuminator.name
        levels = []
        for groups in ((), self._state.groups):
            ((_, frames),) = self._run(first_stop(zones, self._settings), groups, 1)
            levels.append([background(frame_HW) for frame_HW in frames])
        for dark, lit in zip(*levels, strict=True):
            if dark > limits.dark_max:
                raise DeviceError(
                    f"{name}: with all groups off the background must be <= {limits.dark_max:g}, got {dark:.1f}: stray "
                    "light or a group stuck on; close the hood, repair the driver or raise lights_check.dark_max"
                )
            if lit - dark < limits.rise_min:
                raise DeviceError(
                    f"{name}: LED groups {self._state.groups[0]} and {self._state.groups[1]} must lift the background "
                    f"by >= {limits.rise_min:g}, got {lit - dark:.1f}; dead: replace them or their cable"
                )

    def take(self, zones: Sequence[Zone]) -> Iterator[Shot]:
        """Yield the zones of the first strip, each as soon as its last line is there."""
        stop, pitch_mm = first_stop(zones, self._settings), self._settings.grid.pitch_um / 1000
        strips = [_Strip(camera, first, zones, pitch_mm) for camera, first in stop.seen]
        height_px = self._settings.grid.height_px
        lines = max(strip.first_line(strip.zones[-1]) for strip in strips) + height_px
        for place_mm, frames in self._run(stop, self._state.groups, math.ceil(lines / height_px)):
            for strip in strips:
                off_x_mm, off_y_mm = self._settings.cameras[strip.camera].offset_mm
                for zone, frame_HW in strip.add(frames[strip.camera], height_px):
                    y_mm = place_mm[1] + off_y_mm + strip.first_line(zone) * pitch_mm
                    yield Shot(zone, strip.camera, place_mm[0] + off_x_mm, y_mm, frame_HW[None])

    def _run(self, stop: Stop, groups: Sequence[int], count: int) -> Iterator[tuple[tuple[float, float], list[Frame]]]:
        """Move on from a stop at the speed of the lines; yield where it began, and every camera's next frame."""
        settings, stage = self._settings, self._rig.stage
        with blaming(stage):
            stage.move_to(stop.x_mm, stop.y_mm)
        with blaming(self._rig.illuminator):
            self._rig.illuminator.switch(groups)
        with blaming(stage):
            place_mm = stage.wait_for_idle()
        time.sleep(settings.settle_ms / 1000)
        # The first line that the encoder fires must be the first of the strip: wait for it before anything moves.
        self._crew.start_acquiring()
        coming = self._crew.stream(self._state.exposure_us, count)
        time.sleep(settings.settle_ms / 1000)
        try:
            length_mm = count * settings.grid.height_px * settings.grid.pitch_um / 1000
            with blaming(stage):
                stage.move_to(stop.x_mm, stop.y_mm + length_mm, settings.line_feed_mm_s)
            while coming:
                yield place_mm, self._together(coming.pop(0))
            with blaming(stage):
                stage.wait_for_idle()
        finally:
            for future in chain.from_iterable(coming):
                future.cancel()

    def _together(self, coming: list[Future[Frame]]) -> list[Frame]:
        try:
            return together(coming)
        except DeviceFault:
            # No lines come from a stage that has stopped: then the fault is its own.
            with blaming(self._rig.stage):
                self._rig.stage.wait_for_idle()
            raise


class _Strip:
    """The zones that one camera sees in one run, and the lines that are still needed of it."""

    def __init__(self, camera: int, first: Zone, zones: Sequence[Zone], pitch_mm: float) -> None:
        self.camera, self._first, self._pitch_mm = camera, first, pitch_mm
        in_strip = [zone for zone in zones if abs(zone.x_mm - first.x_mm) <= NEAR_MM and zone.y_mm >= first.y_mm]
        self.zones = sorted(in_strip, key=lambda zone: zone.y_mm)
        self._top, self._lines_HW = 0, np.empty((0, 0), np.uint16)

    def first_line(self, zone: Zone) -> int:
        return round((zone.y_mm - self._first.y_mm) / self._pitch_mm)

    def add(self, frame_HW: Frame, height_px: int) -> Iterator[tuple[Zone, Frame]]:
        """Take the next frame and yield every zone that it completes."""
        self._lines_HW = np.concatenate([self._lines_HW.reshape(-1, frame_HW.shape[1]), frame_HW])
        while self.zones:
            start = self.first_line(self.zones[0]) - self._top
            if start + height_px > len(self._lines_HW):
                break
            yield self.zones.pop(0), self._lines_HW[start : start + height_px].copy()
        kept = min(self.first_line(self.zones[0]) - self._top, len(self._lines_HW)) if self.zones else 0
        self._lines_HW, self._top = self._lines_HW[kept:], self._top + kept
