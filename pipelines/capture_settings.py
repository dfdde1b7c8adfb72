"""Settings and presets of the pipeline `capture`, checked before anything runs."""

import posixpath
from typing import Any, Literal

from pydantic import Field, model_validator

from glassline.data.annotations import FORMATS
from glassline.data.captures.store import open_captures
from glassline.data.store import place_hash
from glassline.settings import Settings
from glassline.vision.current_model import MODELS, is_known, model_sha256
from glassline.vision.patches import DARK_FIELD_WINDOW
from glassline.vision.propose import ProposeSettings
from glassline.vision.zone_merge import MergeSettings


class CollectSettings(Settings):
    """What a session's way to labelled zones can be told, besides where it is."""

    captures: str = Field("", description="folder or S3 URL that captures go to; '' is `captures` in the store")
    annotations: str = Field(
        "../annotations.json",
        min_length=1,
        description="file of inspectors' boxes, a folder for voc; a path from the session's folder, or an S3 URL",
    )
    annotations_format: str = Field("coco", description="format of the annotations")
    label_model: str = Field(
        "classical", description="current model, which segments what is in a box; or path or S3 URL of a bundle.zip"
    )
    merge: MergeSettings = Field(MergeSettings(), description="how boxes and masks are merged")
    proposals: bool = Field(False, description="also write the current model's boxes for labelling software")
    propose: ProposeSettings = Field(
        ProposeSettings(depth_window=DARK_FIELD_WINDOW), description="how they are written"
    )

    @model_validator(mode="after")
    def _names_known(self) -> "CollectSettings":
        if self.annotations_format not in FORMATS:
            raise ValueError(f"annotations_format must be one of {', '.join(FORMATS)}, got {self.annotations_format}")
        if not is_known(self.label_model):
            raise ValueError(
                f"label_model must be one of {', '.join(MODELS)}, or a bundle.zip that is there, got {self.label_model}"
            )
        return self

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return 2

    def hash_of(self, data: str) -> str:
        """Return the content hash of a session's captures and the SHA-256 of its annotations, joined by `+`."""
        return f"{open_captures(data).content_hash()}+{place_hash(self._annotations_of(data))}"

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: The session: folder of the captures that the rig took.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL where captures go unless `captures` says where.
        """
        # Kubeflow Pipelines has no null: what is left out takes its default, None, again.
        values = self.model_dump(mode="json", exclude_none=True, include=set(CollectSettings.model_fields))
        session_hash, _, annotations_sha256 = data_hash.partition("+")
        return {
            **values,
            "label_model_sha256": model_sha256(self.label_model),
            "session": data,
            "session_hash": session_hash,
            "captures": self.captures or f"{store}/captures",
            "annotations": self._annotations_of(data),
            "annotations_sha256": annotations_sha256,
        }

    def _annotations_of(self, session: str) -> str:
        named = self.annotations
        scheme, mark, path = session.rpartition("://")  # of S3; its slashes are no empty folder
        return named if "://" in named else scheme + mark + posixpath.normpath(posixpath.join(path, named))


class CaptureSettings(CollectSettings):
    """What a run of `capture` can be told, besides where its session is."""

    seed: int = Field(0, ge=0, lt=2**31, description="seed of simulated glasses, where no session is named")

    @property
    def simulated(self) -> Literal["session"]:
        """What is simulated when a run names no session."""
        return "session"


def smoke() -> CaptureSettings:
    """Return the smallest run that executes every step."""
    return CaptureSettings(proposals=True)


def demo() -> CaptureSettings:
    """Return a run of minutes on two cores."""
    return CaptureSettings()


def full() -> CaptureSettings:
    """Return the run for a rig's session."""
    return CaptureSettings()


PRESETS = {"smoke": smoke, "demo": demo, "full": full}
