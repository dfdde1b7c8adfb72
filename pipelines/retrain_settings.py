"""Settings and presets of the pipeline `retrain`, checked before anything runs."""

from typing import Any, Literal

from pydantic import Field, model_validator

from glassline.models.settings import (
    COMPARATOR_NAMES,
    MODEL_NAMES,
    WITHOUT_IMAGE_BRANCH,
    TypeSettings,
    UnetSettings,
)
from glassline.training.settings import (
    DefectTypeSettings,
    LossSettings,
    RegressionSettings,
    SegmentationSettings,
    TrainingSettings,
)
from glassline.vision.augment import AugmentSettings
from glassline.vision.defects import JoinSettings
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings
from pipelines.product_settings import ClassifierSettings, of_captures

_AS_EXTRACTED = ("depth_window", "light_state")
_UNEXPLAINED = (*WITHOUT_IMAGE_BRANCH, *COMPARATOR_NAMES)

#: The paper's clusters drop lone scratches under 1.5 mm as noise; these missed fewer on validation glasses. The
#: auto-encoder loss says little of faint scratches: the operating point is chosen from a low threshold up.
_FIND = FindSettings(low=0.05, near_um=365, least_points=6)


class RetrainSettings(ClassifierSettings):
    """What a run of `retrain` can be told, besides where its data is."""

    parts: int = Field(2, ge=1, le=100, description="parts that the folds are fanned out to")
    fold_threads: int = Field(
        1,
        ge=0,
        le=1024,
        description="CPU threads of a fold's fit; two parts run at a time on one machine; 0 takes all cores",
    )
    models: tuple[str, ...] = Field(
        ("mlp", "cnn", "ensemble_fusion", "triplet", *COMPARATOR_NAMES),
        min_length=2,
        description="models and comparators that are cross-validated",
    )
    model_name: str = Field("ensemble_fusion", description="model that is trained, explained and exported")
    metric_model: Literal["triplet", "siamese"] = Field(
        "triplet", description="metric network that is trained and exported beside it, for few data and new classes"
    )
    baseline: str = Field("cnn", description="model that the others are tested against")
    segment: bool = Field(False, description="also train a network that finds scratches; of captures only")
    segmentation: SegmentationSettings = Field(SegmentationSettings(), description="how that network is trained")
    zone_parts: int = Field(2, ge=1, le=1000, description="parts that the zones to score are fanned out to")
    tiles: TileSettings = Field(TileSettings(), description="how a zone is cut to be scored")
    find: FindSettings = Field(_FIND, description="which pixels of a score map are a scratch")
    max_fn_rate: float = Field(
        0.024, gt=0, lt=1, description="largest share of defective validation glasses that may pass for good"
    )

    severity: bool = Field(
        True,
        description="also train a detector that tells how bad a defect is, of layouts that say where defects are: "
        "any but image-folder",
    )
    regression: RegressionSettings = Field(RegressionSettings(), description="how that detector is trained")
    defect_types: DefectTypeSettings = Field(
        DefectTypeSettings(), description="how the network that tells its defects' types apart is trained"
    )
    defects: JoinSettings = Field(
        JoinSettings(), description="which defective cells are one defect; their threshold is found on validation"
    )
    image_parts: int = Field(2, ge=1, le=1000, description="parts that the images to search are fanned out to")

    @model_validator(mode="after")
    def _names_agree(self) -> "RetrainSettings":
        known = (*MODEL_NAMES, *COMPARATOR_NAMES)
        if len(set(self.models)) < len(self.models) or not set(self.models) <= set(known):
            raise ValueError(f"models must be among {', '.join(known)}, each once, got {list(self.models)}")
        for name in (self.model_name, self.baseline):
            if name not in self.models:
                raise ValueError(f"model_name and baseline must be among models {list(self.models)}, got {name}")
        if self.segment and self.data_format != "captures":
            raise ValueError(
                f"segment must be false for images that no rig captured, got true and data_format "
                f"{self.data_format!r}; set data_format=captures"
            )
        if self.model_name in _UNEXPLAINED:
            raise ValueError(
                "model_name must have an image branch to explain (cnn, ensemble_*, triplet, siamese), got "
                f"{self.model_name}"
            )
        return self

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: Folder of images and annotations, or their label file; a path or an S3 URL.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL where shards and checkpoints stay.
        """
        # Kubeflow Pipelines has no null: what is left out takes its default, None, again.
        values = self.model_dump(mode="json", exclude_none=True)
        folds, parts, zone_parts, image_parts = (
            values.pop(name) for name in ("folds", "parts", "zone_parts", "image_parts")
        )
        return {
            "candidates": [{"name": self.model_name, "model": self.model_name, "start": "scratch"}],
            "registered_segmenter": f"glassline-{values['product']}-unet",
            "folds": folds,
            "fold_parts": [list(range(part, folds, parts)) for part in range(min(parts, folds))],
            "zone_parts": list(range(zone_parts)),
            "zone_part_count": zone_parts,
            "registered_detector": f"glassline-{values['product']}-severity",
            "image_parts": list(range(image_parts)),
            "image_part_count": image_parts,
            **values,
            **self.of_the_data(data, data_hash, store),
            # Images are looked at as candidates are, unless said otherwise.
            "regression": {
                **{name: values["extract"][name] for name in _AS_EXTRACTED if name in values["extract"]},
                **values["regression"],
            },
            "severity": self.severity and self.data_format != "image-folder",
        }


def smoke() -> RetrainSettings:
    """Return the smallest run that executes every step."""
    return RetrainSettings(
        folds=3,
        augment=AugmentSettings(copies=1),
        training=TrainingSettings(epochs=2, least_steps=20),
        models=("cnn", "ensemble_fusion", "triplet", "svm"),
        segmentation=SegmentationSettings(
            unet=UnetSettings(width=1 / 32),
            patch_px=128,
            epochs=2,
            patches=32,
            batch_size=4,
            learning_rate=1e-3,
        ),
        regression=RegressionSettings(patch_px=128, epochs=2, patches=64),
        defect_types=DefectTypeSettings(classifier=TypeSettings(network="resnet18"), epochs=2, windows=64),
    )


def demo() -> RetrainSettings:
    """Return a run of minutes on two cores."""
    return RetrainSettings(
        folds=5,
        augment=AugmentSettings(copies=1),
        training=TrainingSettings(epochs=6),
        segmentation=SegmentationSettings(
            unet=UnetSettings(width=1 / 8),
            # It learns from a tenth of the patches that the auto-encoder loss needs.
            loss=LossSettings(name="cross_entropy"),
            scratch_share=0.5,
            patch_px=256,
            epochs=6,
            patches=320,
            batch_size=8,
            learning_rate=2e-3,
            schedule="one-cycle",
        ),
        regression=RegressionSettings(patch_px=128, epochs=6, patches=256, precision="bf16-mixed"),
        defect_types=DefectTypeSettings(
            classifier=TypeSettings(network="resnet18"), epochs=5, windows=256, precision="bf16-mixed"
        ),
    )


def full() -> RetrainSettings:
    """Return the run for a real data set."""
    return RetrainSettings(
        # A transfer network takes hours per fold without a GPU: to be asked for.
        models=(*(name for name in MODEL_NAMES if name != "transfer"), *COMPARATOR_NAMES),
        augment=AugmentSettings(copies=3),
        training=TrainingSettings(epochs=20),
        parts=10,
        zone_parts=10,
        image_parts=10,
    )


def scratches_too(preset: RetrainSettings) -> RetrainSettings:
    """Return a preset for captures of the dark-field rig, scratches found too."""
    return of_captures(preset).model_copy(update={"segment": True})


PRESETS = {
    "smoke": smoke,
    "demo": demo,
    "full": full,
    "captures-smoke": lambda: scratches_too(smoke()),
    "captures-demo": lambda: scratches_too(demo()),
    "captures-full": lambda: scratches_too(full()),
}
