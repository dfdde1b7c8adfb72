"""Settings and presets of the pipeline `end_to_end`: those of `capture` and of `retrain`."""

from typing import Any, Literal

from pydantic import Field, model_validator

from glassline.settings import Settings
from pipelines import retrain_settings
from pipelines.capture_settings import CollectSettings
from pipelines.retrain_settings import RetrainSettings, scratches_too

#: Arguments of `retrain` that its import takes; here the labels say all of that.
_OF_THE_IMPORT = ("data", "data_hash", "data_format", "product", "cycle", "clean_class")


class EndToEndSettings(Settings):
    """What a run of `end_to_end` can be told, besides where its session is."""

    capture: CollectSettings = Field(CollectSettings(), description="from the session to labelled zones")
    retrain: RetrainSettings = Field(scratches_too(RetrainSettings()), description="from there to the exported model")

    @model_validator(mode="after")
    def _labels_tell(self) -> "EndToEndSettings":
        if (self.retrain.data_format, self.retrain.clean_class) != ("captures", ""):
            raise ValueError(
                f"retrain.data_format and retrain.clean_class must be left as they are, the labels tell, got "
                f"{self.retrain.data_format!r} and {self.retrain.clean_class!r}; run retrain for other data"
            )
        return self

    @property
    def simulated(self) -> Literal["session"]:
        """What is simulated when a run names no session."""
        return "session"

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self.retrain.seed

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return self.capture.hashes + (1 if self.retrain.reviews else 0)

    def hash_of(self, data: str) -> str:
        """Return the hashes of the session, see `CollectSettings.hash_of`, and that of the reviews if there are any."""
        return "+".join([self.capture.hash_of(data), *self.retrain.hash_of_reviews()])

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: The session: folder of the captures that the rig took.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL of shards and checkpoints, and of captures unless `capture.captures` says where.
        """
        hashes = data_hash.split("+")
        of_session, of_reviews = hashes[: self.capture.hashes], hashes[self.capture.hashes :]
        learnt = self.retrain.arguments(data, "+".join(["", *of_reviews]), store)
        return {
            **self.capture.arguments(data, "+".join(of_session), store),
            **{name: value for name, value in learnt.items() if name not in _OF_THE_IMPORT},
        }


def smoke() -> EndToEndSettings:
    """Return the smallest run that executes every step."""
    return EndToEndSettings(capture=CollectSettings(proposals=True), retrain=scratches_too(retrain_settings.smoke()))


def demo() -> EndToEndSettings:
    """Return a run of minutes on two cores."""
    return EndToEndSettings(retrain=scratches_too(retrain_settings.demo()))


def full() -> EndToEndSettings:
    """Return the run for a rig's session."""
    return EndToEndSettings(retrain=scratches_too(retrain_settings.full()))


PRESETS = {"smoke": smoke, "demo": demo, "full": full}
