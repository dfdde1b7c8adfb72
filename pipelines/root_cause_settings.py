"""Settings and presets of the pipeline `root_cause`, checked before anything runs."""

from typing import Any, Literal

from pydantic import Field

from glassline.settings import Settings
from glassline.steps.find_root_cause import content_hash_of
from glassline.vision.repeating_marks import RootCauseSettings


class RootCausePipelineSettings(Settings):
    """What a run of `root_cause` can be told, besides where its images are."""

    root_cause: RootCauseSettings = Field(RootCauseSettings(), description="what counts as a repeating mark")
    reference: str = Field("", description="the same views of good glasses: what repeats there too is not told")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of simulated glasses, where no folder is named")

    @property
    def simulated(self) -> Literal["tool-mark"]:
        """What is simulated when a run names no images."""
        return "tool-mark"

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return 2 if self.reference else 1

    def hash_of(self, data: str) -> str:
        """Return the content hash of the images and of the reference."""
        return content_hash_of(data, self.reference)

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: Folder of images, of one per view, or captures.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Not used: nothing is kept between runs.
        """
        return {
            "images": data,
            "content_hash": data_hash,
            "reference": self.reference,
            "root_cause": self.root_cause.model_dump(mode="json"),
        }


def smoke() -> RootCausePipelineSettings:
    """Return the smallest run that executes every step."""
    return RootCausePipelineSettings(root_cause=RootCauseSettings(window=12))


def demo() -> RootCausePipelineSettings:
    """Return a run of a minute on two cores."""
    return RootCausePipelineSettings()


def full() -> RootCausePipelineSettings:
    """Return the run for a shift of the line."""
    return RootCausePipelineSettings()


PRESETS = {"smoke": smoke, "demo": demo, "full": full}
