"""The simulated rig behind the real protocols: GigE Vision, Modbus/TCP, GRBL on a terminal; and its faults.

It must run in another process than the session, as a real rig does.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import yaml

from glassline.data.captures.meta import Kind
from glassline.data.storage import written_whole
from glassline.errors import SettingsError
from hardware_ingest.camera.gige_device import GigeDevice
from hardware_ingest.camera.settings import loopback_camera
from hardware_ingest.devices import LED_GROUPS, Frame, Scene
from hardware_ingest.illuminator.sim import LightFaults
from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.simulated_rig.bench import Bench
from hardware_ingest.simulated_rig.lights_server import LightsServer
from hardware_ingest.simulated_rig.stage_line import StageLine
from hardware_ingest.stage.sim import StageFaults

#: Longest edge of a frame of the GigE device.
LARGEST_PX = 2048

#: Returns the scene of a glass id and a kind.
Glasses = Callable[[str, Kind], Scene]


class ServedRig:
    """One bench behind three real devices; `tell` breaks and mends them."""

    def __init__(self, settings: RigSettings, glasses: Glasses, address: str, lost_packets: float = 0.0) -> None:
        """Put a glass on the stage; nothing is served yet.

        Args:
            settings: Grid and limits; kinds and addresses are its own.
            glasses: Makes the scene of a glass.
            address: IP address of the camera, one per simulator.
            lost_packets: Share of the camera's packets that are lost.

        Raises:
            SettingsError: A zone is larger than the device's frames.
        """
        if max(settings.grid.width_px, settings.grid.height_px) > LARGEST_PX:
            raise SettingsError(
                f"a zone of the served rig must be <= {LARGEST_PX} px a side, got {settings.grid.width_px} x "
                f"{settings.grid.height_px}; choose a smaller grid"
            )
        self._settings, self._glasses = settings, glasses
        self.bench = Bench(glasses("G0001", "clean"), settings.stage)
        self._lights = LightsServer(self.bench.coils)
        self._stage = StageLine(self.bench.machine)
        self._address, self._lost_packets = address, lost_packets
        #: Time that every frame comes late.
        self._delay_s = 0.0
        self._camera: GigeDevice | None = None
        self._open = ExitStack()

    def __enter__(self) -> "ServedRig":
        with ExitStack() as opened:
            opened.enter_context(self._lights)
            opened.enter_context(self._stage)
            self._camera_back()
            opened.callback(self._camera_gone)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def write_rig(self, path: Path) -> None:
        """Write the rig's file for `glassline capture --rig`; once it is there, everything is served."""
        grid = self._settings.grid
        camera = loopback_camera(self._address, grid.width_px, grid.height_px).model_dump(
            mode="json", exclude_defaults=True, exclude={"width_px", "height_px"}
        )
        told = self._settings.model_dump(mode="json", exclude={"cameras"}) | {
            "cameras": [{"kind": "genicam", **camera}]
        }
        told["illuminator"] |= {"kind": "modbus", "host": "127.0.0.1", "port": self._lights.port}
        told["stage"] |= {"kind": "grbl", "port": self._stage.port}
        with written_whole(path) as beside:
            beside.write_text(yaml.safe_dump(told, sort_keys=False))

    def tell(self, words: str) -> str:
        """Do what a line says, and return what was done.

        Raises:
            SettingsError: It says nothing known; lists what is.
        """
        name, *values = words.split()
        known: dict[str, Callable[..., object]] = {
            "state": lambda: f"groups lit {list(self.bench.lit)}, stage {self.bench.machine.state}",
            "glass": self._put_glass,
            "dead": lambda group: self.bench.coils.faults.dead.add(int(_within(group, LED_GROUPS - 1))),
            "stuck": lambda group: self.bench.coils.faults.stuck.add(int(_within(group, LED_GROUPS - 1))),
            "lights-gone": self._lights.go,
            "lights-back": self._lights.come,
            "alarm": lambda: self._break_stage("alarm_in_moves", 0),
            "noise": lambda share: self._break_stage("noise", _within(share, 1)),
            "silent": lambda: self._break_stage("silent", True),
            "slow": self._slow_down,
            "loss": self._lose_packets,
            "camera-gone": self._camera_gone,
            "camera-back": self._camera_back,
            "mend": self._mend,
        }
        try:
            answer = known[name](*values)
        except (KeyError, TypeError, ValueError):
            raise SettingsError(
                f"the simulator understands {', '.join(known)}, a few with a value (glass G0002 marked, dead 0 to "
                f"{LED_GROUPS - 1}, noise and loss 0 to 1, slow 0 to 60 s), got {words!r}; say one of these"
            ) from None
        return f"done: {answer or words}"

    def _put_glass(self, glass: str, kind: Kind) -> None:
        self.bench.scene = self._glasses(glass, kind)

    def _break_stage(self, name: str, value: object) -> None:
        setattr(self.bench.machine.faults, name, value)

    def _slow_down(self, seconds: str) -> None:
        self._delay_s = _within(seconds, 60)

    def _see(self, exposure_us: float, gain_db: float, width_px: int, height_px: int) -> Callable[[], Frame]:
        develop = self.bench.see(exposure_us, gain_db, width_px, height_px)

        def slowly() -> Frame:
            time.sleep(self._delay_s)
            return develop()

        return slowly

    def _lose_packets(self, share: str) -> None:
        self._lost_packets = _within(share, 1)
        self._camera_gone()
        self._camera_back()

    def _camera_gone(self) -> None:
        if self._camera is not None:
            camera, self._camera = self._camera, None
            camera.__exit__()
            if camera.error:
                raise camera.error

    def _camera_back(self) -> None:
        if self._camera is None:
            self._camera = GigeDevice(self._see, address=self._address, lost_packets=self._lost_packets).__enter__()

    def _mend(self) -> None:
        self.bench.coils.faults, self.bench.machine.faults = LightFaults(), StageFaults()
        self._delay_s = 0.0
        self._lose_packets("0")
        self._lights.come()


def _within(text: str, most: float) -> float:
    """Return the number that a text says, 0 to `most`; ValueError for any other."""
    value = float(text)
    if not 0 <= value <= most:
        raise ValueError
    return value
