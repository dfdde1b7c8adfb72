"""The inspector that a bundle asks for."""

from typing import Any, Protocol

from glassline.deploy.bundle import Bundle, Manifest
from glassline.deploy.inspection.lines import Judged
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import Unit


class Inspector(Protocol):
    """What judges units."""

    manifest: Manifest
    runtime: str

    @property
    def by_glass(self) -> bool:
        """Whether a glass is one unit; else an image or zone is."""

    @property
    def precision(self) -> str:
        """Its arithmetic."""

    @property
    def thresholds(self) -> dict[str, Any]:
        """Thresholds that are applied."""

    def read(self, unit: Unit) -> Any:
        """Return what `judge` looks at; called ahead, in another thread.

        Raises:
            DataError: The unit cannot be read, or is not what the model looks at; names it.
            StorageError: Its place does not answer.
        """

    def judge(self, read: Any) -> Judged:
        """Return the verdict."""


def open_inspector(bundle: Bundle, how: Running) -> Inspector:
    """Return the inspector of a bundle of any system.

    Raises:
        ModelError: The bundle cannot be run.
        SettingsError: A threshold is missing or out of range, or an option is not for its system.
    """
    system = bundle.manifest.system
    if system == "C":
        from glassline.deploy.inspection.scratches import ScratchInspector

        return ScratchInspector(bundle, how)
    if system == "E":
        from glassline.deploy.inspection.severity import SeverityInspector

        return SeverityInspector(bundle, how)
    if "extract" not in bundle.manifest.preprocessing:
        from glassline.deploy.inspection.windows import WindowInspector

        return WindowInspector(bundle, how)
    from glassline.deploy.inspection.candidates import CandidateInspector

    return CandidateInspector(bundle, how)
