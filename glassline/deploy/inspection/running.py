"""How a bundle is run: the options of the command, checked against what each system knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from glassline.deploy.graphs import Device
from glassline.errors import SettingsError

#: `int8` runs the graph that was quantised on export, bf16 is OpenVINO's.
AnyPrecision = Literal["f32", "bf16", "int8"]


@dataclass(frozen=True)
class Running:
    """How a bundle is run.

    Attributes:
        runtime: `openvino` or `onnxruntime`; "" takes what suits the bundle.
        device: Where.
        precision: Arithmetic.
        threads: Threads of the runtime; 0 lets it choose.
        pitch_um: Pixel pitch of images; that of the bundle where None.
    """

    runtime: str = ""
    device: Device = "cpu"
    precision: AnyPrecision = "f32"
    threads: int = 0
    pitch_um: float | None = None

    @property
    def classifier_runtime(self) -> str:
        """The runtime of a classifier; unless told, what every export is compared with, where it has the device."""
        return self.runtime or ("onnxruntime" if self.device == "cpu" else "")

    def check(self, system: str, precisions: Sequence[str], pitched: bool) -> None:
        """Refuse what the bundle's system does not know.

        Raises:
            SettingsError: The precision is another one, or no size is told that a pitch could change.
        """
        if self.precision not in precisions:
            raise SettingsError(
                f"--precision of a bundle of system {system} must be one of {', '.join(precisions)}, got "
                f"{self.precision}; use {precisions[0]}"
            )
        if self.pitch_um is not None and not pitched:
            raise SettingsError(
                f"--pitch-um is for bundles that tell sizes of images (system E), got one of system {system}; leave "
                "it out"
            )
