"""Lights, stage and glass of a simulated rig, joined: what they do together is what the camera sees."""

from collections.abc import Callable

from hardware_ingest.devices import Frame, Scene
from hardware_ingest.illuminator.sim import LightFaults, SimulatedCoils
from hardware_ingest.stage.settings import StageSettings
from hardware_ingest.stage.sim import SimulatedGrbl, StageFaults


class Bench:
    """A glass on a stage under a ring of lights."""

    def __init__(
        self,
        scene: Scene,
        stage: StageSettings,
        light_faults: LightFaults | None = None,
        stage_faults: StageFaults | None = None,
    ) -> None:
        """Put a glass on the stage.

        Args:
            scene: The glass.
            stage: Its limits and its origin.
            light_faults: What is broken of the ring.
            stage_faults: What is broken of the stage.
        """
        self.scene = scene
        self.coils = SimulatedCoils(light_faults)
        self.machine = SimulatedGrbl((stage.x_limits_mm[1], stage.y_limits_mm[1]), stage_faults)
        self._origin_mm = stage.origin_mm

    @property
    def lit(self) -> tuple[int, ...]:
        """LED groups that shine."""
        return self.coils.lit

    def where(self, offset_mm: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
        """Return the place on the glass of a camera's first pixel, x and y in mm.

        Args:
            offset_mm: That place minus the stage's.
        """
        x_mm, y_mm = self.machine.position_mm
        return x_mm - self._origin_mm[0] + offset_mm[0], y_mm - self._origin_mm[1] + offset_mm[1]

    def see(self, exposure_us: float, gain_db: float, width_px: int, height_px: int) -> Callable[[], Frame]:
        """Take down what is lit now and where the stage is; return what renders the frame (H, W) of it.

        Args:
            exposure_us: Exposure.
            gain_db: Gain.
            width_px: Width of the frame.
            height_px: Height of the frame.
        """
        scene, (x_mm, y_mm), lit = self.scene, self.where(), self.lit
        return lambda: scene.expose(x_mm, y_mm, lit, exposure_us, gain_db, (width_px, height_px))
