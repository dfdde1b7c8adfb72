"""A capture session: every zone of a glass into the store, or a safe stop from which it goes on."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, open_captures
from glassline.errors import DataError, DeviceError, GlasslineError, StorageError
from hardware_ingest.rig.build import Rig
from hardware_ingest.session.area import AreaScan
from hardware_ingest.session.claim import sole_session
from hardware_ingest.session.crew import CameraCrew
from hardware_ingest.session.faults import Device, DeviceFault, blaming
from hardware_ingest.session.line import LineScan
from hardware_ingest.session.record import Job, begin_or_resume
from hardware_ingest.session.result import Retried, SessionResult, Written
from hardware_ingest.session.safe import SessionStopped, make_safe
from hardware_ingest.session.shot import Scan, Shot
from hardware_ingest.session.signals import stop_signals
from hardware_ingest.session.stops import plan_stops
from hardware_ingest.session.writer import ZoneWriter
from hardware_ingest.zones import Zone

T = TypeVar("T")
Report = Callable[[Written | Retried], None]


class CaptureSession:
    """One glass through one rig, once."""

    def __init__(self, rig: Rig, job: Job, captures: Captures, report: Report) -> None:
        """Take what to do; nothing is contacted yet.

        Args:
            rig: The devices.
            job: The glass on the stage.
            captures: Where its zones go.
            report: Called with every zone that is whole (in the background) and with every further try.
        """
        self._rig, self._job, self._captures, self._report = rig, job, captures, report
        self._settings = rig.settings
        grid = self._settings.grid
        self._zones = grid.zones()
        self._crew = CameraCrew(rig.cameras, (grid.width_px, grid.height_px))
        self._scan: Scan = (LineScan if self._settings.scan == "line" else AreaScan)(rig, self._crew)
        self._retries = 0

    def run(self) -> SessionResult:
        """Capture every zone that is not whole yet.

        Raises:
            DeviceError: A device failed more often than it is retried; the devices are safe unless it says otherwise.
            StorageError: A zone could not be written; the devices are safe.
            SessionStopped: Ctrl-C, or the process was told to end; the devices are safe.
        """
        todo = self._missing()
        whole = len(self._zones) - len(todo)
        if not todo:
            return SessionResult(0, whole, 0, 0, 0.0, 0, 0)
        begin_s = time.monotonic()
        frames, raw_bytes = 0, 0

        def written(zone: Written) -> None:
            nonlocal frames, raw_bytes
            frames, raw_bytes = frames + zone.frames, raw_bytes + zone.raw_bytes
            self._report(zone)

        unsafe: DeviceError | None = None
        writer = ZoneWriter(self._captures, written)
        with sole_session(self._settings.illuminator), stop_signals() as signals:
            try:
                with writer:
                    try:
                        try:
                            self._capture(list(todo), writer)
                        finally:
                            signals.ignore()
                    finally:
                        unsafe = self._make_safe()
            except (DeviceError, StorageError, DataError, KeyboardInterrupt) as error:
                raise self._stopped(error, unsafe, writer.error) from error
        if unsafe:
            raise self._stopped(unsafe, unsafe, None)
        seconds = time.monotonic() - begin_s
        return SessionResult(len(todo), whole, frames, raw_bytes, seconds, self._retries, self._scan.retaken)

    def _missing(self) -> list[Zone]:
        return [zone for zone in self._zones if self._ref(zone) not in self._captures]

    def _ref(self, zone: Zone) -> ZoneRef:
        return ZoneRef(self._job.glass, self._job.kind, zone.index)

    def _capture(self, todo: list[Zone], writer: ZoneWriter) -> None:
        self._with_retries("the start", self._ready, todo)
        self._with_retries("the lights check", lambda: self._scan.check(todo), todo)
        while todo:
            self._with_retries(f"zone {todo[0].index}", lambda: self._take(todo, writer), todo)

    def _ready(self) -> None:
        for device in (self._rig.illuminator, self._rig.stage):
            with blaming(device):
                device.ensure_ready()
        self._crew.ensure_ready()

    def _take(self, todo: list[Zone], writer: ZoneWriter) -> None:
        for shot in self._scan.take(todo):
            writer.put(self._meta(shot), shot.frames_SHW)
            todo.remove(shot.zone)

    def _with_retries(self, what: str, work: Callable[[], T], todo: list[Zone]) -> T:
        """Do something; when a device fails, make that device ready again and do it once more, some times."""
        broken: list[Device] = []
        attempt = 1
        while True:
            try:
                while broken:
                    self._recover(broken[0], todo)
                    broken.pop(0)
                return work()
            except DeviceFault as fault:
                if attempt > self._settings.retries:
                    tries = "try" if attempt == 1 else "tries"
                    raise DeviceError(f"{what} failed in {attempt} {tries}: {fault}") from fault
                # What failed last comes first: the others may need it.
                broken = [fault.device, *(device for device in broken if device is not fault.device)]
                self._report(Retried(what, attempt, str(fault)))
            attempt += 1
            self._retries += 1
            time.sleep(self._settings.retry_wait_s)

    def _recover(self, device: Device, todo: list[Zone]) -> None:
        """Make one device ready again; lights are checked anew, which names a group that has died."""
        if device in self._rig.cameras:
            self._crew.recover(device)
            return
        with blaming(device):
            device.ensure_ready()
        if device is self._rig.illuminator:
            self._scan.check(todo)

    def _make_safe(self) -> DeviceError | None:
        return make_safe(
            [self._rig.illuminator.ensure_stopped, self._rig.stage.ensure_stopped, self._crew.ensure_stopped]
        )

    def _meta(self, shot: Shot) -> ZoneMeta:
        info, settings = self._crew.infos[shot.camera], self._settings
        return ZoneMeta(
            **self._job.model_dump(),
            zone=shot.zone.index,
            stage_x_mm=shot.x_mm,
            stage_y_mm=shot.y_mm,
            exposure_us=tuple(state.exposure_us for state in settings.light_states),
            azimuths_deg=tuple(state.azimuth_deg for state in settings.light_states),
            gain_db=settings.gain_db,
            camera_model=info.model,
            camera_serial=info.serial,
            pattern=info.pattern,
            bit_depth=info.bit_depth,
            pitch_um=settings.grid.pitch_um,
            overlap_px=settings.grid.overlap_px,
            taken_utc=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        )

    def _stopped(
        self, error: BaseException, unsafe: DeviceError | None, unwritten: BaseException | None
    ) -> GlasslineError:
        """Tell what failed, whether the devices are safe, what is whole, and how to go on."""
        left = self._missing()
        told = f"a stop was asked for ({error})" if isinstance(error, KeyboardInterrupt) else str(error)
        if unwritten is not None and unwritten is not error:
            told += f"; {unwritten}"
        safe = f"NOT SAFE: {unsafe}" if unsafe else "the lights are off, stage and cameras stand"
        on = f"with zone {left[0].index} " if left else ""
        message = (
            f"{self._job.glass} ({self._job.kind}) stopped: {told}; {safe}; {len(self._zones) - len(left)} of "
            f"{len(self._zones)} zones are whole; give the same command again to go on {on}".rstrip()
        )
        kind = type(error) if type(error) in (DeviceError, StorageError, DataError) else DeviceError
        return SessionStopped(message) if isinstance(error, KeyboardInterrupt) else kind(message)


def capture_glass(rig: Rig, job: Job, folder: Path, report: Report) -> SessionResult:
    """Capture one glass into a folder, or go on where an earlier session stopped.

    Raises:
        SettingsError: It was begun with other settings, or the stage does not reach every zone.
        DeviceError: A device failed more often than it is retried; the devices are safe unless it says otherwise.
        StorageError: A zone could not be written; the devices are safe.
        SessionStopped: Ctrl-C, or the process was told to end; the devices are safe.
    """
    for stop in plan_stops(rig.settings.grid.zones(), [camera.offset_mm for camera in rig.settings.cameras]):
        rig.settings.stage.machine_mm(stop.x_mm, stop.y_mm)
    begin_or_resume(folder, job, rig.settings)
    return CaptureSession(rig, job, open_captures(folder), report).run()
