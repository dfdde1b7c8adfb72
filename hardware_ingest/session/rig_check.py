"""Is the rig fit to capture? Lights, and how well the stage comes back; devices are safe afterwards."""

import time

from glassline.errors import DeviceError, SettingsError
from hardware_ingest.devices import Frame
from hardware_ingest.rig.build import Rig
from hardware_ingest.session.area import AreaScan
from hardware_ingest.session.claim import sole_session
from hardware_ingest.session.crew import CameraCrew
from hardware_ingest.session.safe import make_safe
from hardware_ingest.session.signals import stop_signals
from hardware_ingest.stage.repeatability import Repeatability, repeatability

#: Way that the stage goes away when there is one zone only.
_AWAY_MM = 10.0


def check_rig(rig: Rig, times: int) -> Repeatability:
    """Check the lights at the first zone, then come back to it some times.

    Args:
        rig: An area-scan rig with a glass on its stage.
        times: Ways to the last zone and back, at least 1.

    Raises:
        DeviceError: A device, or an LED group, does not do as told; the devices are safe unless it says otherwise.
        SettingsError: A line-scan rig.
    """
    if rig.settings.scan != "area":
        raise SettingsError(
            "rig-check is for area scan, got a line-scan rig; capture a glass: its light is checked too"
        )
    grid = rig.settings.grid
    crew = CameraCrew(rig.cameras, (grid.width_px, grid.height_px))
    why: BaseException | None = None
    with sole_session(rig.settings.illuminator), stop_signals() as signals:
        try:
            try:
                return _checked(rig, crew, times)
            finally:
                signals.ignore()
        except BaseException as error:
            why = error
            raise
        finally:
            unsafe = make_safe([rig.illuminator.ensure_stopped, rig.stage.ensure_stopped, crew.ensure_stopped])
            if unsafe:
                raise DeviceError(f"{why or 'the check is done'}; NOT SAFE: {unsafe}") from why


def _checked(rig: Rig, crew: CameraCrew, times: int) -> Repeatability:
    settings, zones = rig.settings, rig.settings.grid.zones()
    rig.illuminator.ensure_ready()
    rig.stage.ensure_ready()
    crew.ensure_ready()
    scan = AreaScan(rig, crew)
    scan.check(zones)
    first, last, state = zones[0], zones[-1], settings.light_states[0]

    def look() -> Frame:
        time.sleep(settings.settle_ms / 1000)
        return scan.look(state.groups, state.exposure_us)[0]

    away_mm = (last.x_mm, last.y_mm) if len(zones) > 1 else (_AWAY_MM, _AWAY_MM)
    return repeatability(
        rig.stage, look, crew.infos[0].pattern, settings.grid.pitch_um, (first.x_mm, first.y_mm), away_mm, times
    )
