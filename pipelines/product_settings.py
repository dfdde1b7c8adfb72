"""Settings that the pipelines of one product share: whose data it is, and how its classes are learned and judged."""

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, model_validator

from glassline.analysis.gate_settings import GateSettings, LatencySettings
from glassline.analysis.review_reasons import ReviewSettings
from glassline.data.importers import LAYOUTS, source_hash
from glassline.data.reviews.decisions import REVIEW_FORMATS
from glassline.data.store import place_hash
from glassline.models.settings import PATCH_PX
from glassline.settings import Settings
from glassline.training.settings import TrainingSettings
from glassline.vision.augment import AugmentSettings
from glassline.vision.patches import ExtractSettings, dark_field_extract


class ProductSettings(Settings):
    """Whose data a pipeline reads."""

    data_format: str = Field("coco", description="layout of the data, as in `glassline import --format`")
    product: str = Field(
        "glass",
        pattern=r"^[^/:]+$",
        max_length=100,
        description="product name without / and :; the registered model is named after it",
    )
    cycle: str = Field("1", description="product cycle")
    clean_class: str = Field("", description="class without defect; '' where the layout tells or there is none")
    seed: int = Field(0, ge=0, lt=2**31, description="seed of splits, draws, augmentation and training")

    @model_validator(mode="after")
    def _known_layout(self) -> "ProductSettings":
        if self.data_format not in LAYOUTS:
            raise ValueError(f"data_format must be one of {', '.join(LAYOUTS)}, got {self.data_format}")
        return self

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return 1

    def hash_of(self, data: str) -> str:
        """Return the SHA-256 of the product's data, which keys the cache and which the import compares."""
        return source_hash(data, self.data_format)


class ClassifierSettings(ProductSettings):
    """How candidates are cut of a product's images, learned, compared with the champion, and reviewed."""

    reviews: str = Field("", description="file of decisions on this data's review queue, a path or S3 URL; '' for none")
    reviews_format: str = Field("csv", description=f"its format: {', '.join(REVIEW_FORMATS)}")
    extract: ExtractSettings = Field(ExtractSettings(), description="how candidates become patches")
    augment: AugmentSettings = Field(AugmentSettings(), description="augmented copies of training samples")
    folds: int = Field(10, ge=3, le=100, description="folds of the cross-validation")
    training: TrainingSettings = Field(TrainingSettings(), description="how every model is trained")
    gate: GateSettings = Field(GateSettings(), description="what a candidate must show to become champion")
    latency: LatencySettings = Field(LatencySettings(), description="how fast the line's computer must judge")
    review: ReviewSettings = Field(ReviewSettings(), description="what people are asked to look at")

    @model_validator(mode="after")
    def _known_reviews_and_patch(self) -> "ClassifierSettings":
        if self.reviews_format not in REVIEW_FORMATS:
            raise ValueError(f"reviews_format must be one of {', '.join(REVIEW_FORMATS)}, got {self.reviews_format}")
        if self.extract.candidates.patch_px != PATCH_PX:
            raise ValueError(
                f"extract.candidates.patch_px must be {PATCH_PX}, which models read, got "
                f"{self.extract.candidates.patch_px}; set window_px for another field of view"
            )
        return self

    @property
    def simulated(self) -> Literal["line-scan", "labels"]:
        """What is simulated when a run names no data."""
        return "labels" if self.data_format == "captures" else "line-scan"

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        return 2 if self.reviews else 1

    def hash_of(self, data: str) -> str:
        """Return the SHA-256 of the data, joined by `+` with that of the reviews where there are any."""
        return "+".join([super().hash_of(data), *self.hash_of_reviews()])

    def hash_of_reviews(self) -> list[str]:
        """Return the SHA-256 of the file of decisions, nothing where there is none."""
        return [place_hash(self.reviews)] if self.reviews else []

    def of_the_data(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments that say where data, reviews and store are, and what they are.

        Args:
            data: Folder of images and annotations, or their label file; a path or an S3 URL.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL where shards and checkpoints stay.
        """
        of_data, _, of_reviews = data_hash.partition("+")
        local = self.reviews and "://" not in self.reviews
        return {
            "data": data,
            "data_hash": of_data,
            "reviews": str(Path(self.reviews).absolute()) if local else self.reviews,
            "reviews_hash": of_reviews,
            "store": store,
            "registered_model": f"glassline-{self.product}",
        }


_Preset = TypeVar("_Preset", bound=ClassifierSettings)


def of_captures(preset: _Preset) -> _Preset:
    """Return a preset for captures of the dark-field rig: 12 bit, bright marks on black, most of them dust."""
    training = preset.training.model_copy(update={"class_weights": "root"})
    captured = {"data_format": "captures", "extract": dark_field_extract(), "training": training}
    return preset.model_copy(update=captured)
