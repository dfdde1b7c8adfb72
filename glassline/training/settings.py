"""Settings of the training loop, apart from it: the command line checks settings without loading torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from glassline.data.images import DepthWindow
from glassline.models.settings import BackboneSettings, DetectorSettings, NetworkSettings, TypeSettings, UnetSettings
from glassline.settings import Settings


class MetricSettings(Settings):
    """What the triplet and Siamese networks are trained on."""

    mining: Literal["batch_random", "semi_hard", "hard"] = Field(
        "batch_random", description="which triplets of a batch: drawn, or those that violate the margin"
    )
    pairs: int = Field(450, ge=1, description="A-P pairs of a batch, and as many A-N pairs")
    margin: float = Field(0.5, gt=0, description="by how much A-N must be farther than A-P, in units of the distance")
    squared: bool = Field(False, description="the other reading of eq. 4: squared Euclidean distances")


class SgdSettings(Settings):
    """How model transfer descends; other models use AdamW."""

    learning_rate: float = Field(0.01, gt=0, lt=1, description="peak of the one-cycle schedule of SGD")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD")


class SharedSettings(Settings):
    """What every fit has whose batches several processes may share."""

    batch_size: int = Field(64, ge=1, description="rows of a batch, all devices together; a multiple of devices")
    devices: int = Field(
        1, ge=1, description="processes of data-parallel training on one node; under torchrun those that it started"
    )

    @model_validator(mode="after")
    def _divide_batch(self) -> Self:
        if self.batch_size % self.devices:
            raise ValueError(f"batch_size must be a multiple of devices ({self.devices}), got {self.batch_size}")
        return self


class TrainingSettings(SharedSettings, NetworkSettings):
    """How a classifier is fitted."""

    metric: MetricSettings = Field(
        MetricSettings(), description="loss of triplet and siamese; other models learn cross-entropy"
    )
    sgd: SgdSettings = Field(SgdSettings(), description="stochastic gradient descent of transfer")
    epochs: int = Field(10, ge=1, le=10_000, description="passes over the training rows at most")
    least_steps: int = Field(
        300, ge=1, le=100_000, description="steps of a fit on few rows at least (hold_out, learning_curve): more epochs"
    )
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="peak of the one-cycle schedule of AdamW")
    weight_decay: float = Field(1e-4, ge=0, lt=1, description="weight decay of AdamW")
    class_weights: Literal["none", "root", "balanced"] = Field(
        "none", description="weigh a class by 1, 1/sqrt(frequency) or 1/frequency"
    )
    clean_ratio: float = Field(
        0.0, ge=0, description="clean patches per defect patch that are trained on at most; 0 keeps all"
    )
    patience: int = Field(0, ge=0, description="epochs without a better validation loss before stopping; 0 never stops")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field("32-true", description="AMP mode")
    workers: int = Field(0, ge=0, description="loader processes per device")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a fit; 0 takes all cores")

    @property
    def weight_power(self) -> float:
        """How `class_weights` weighs a class: by its frequency to the minus this."""
        return {"none": 0.0, "root": 0.5, "balanced": 1.0}[self.class_weights]


class TransferSettings(SharedSettings):
    """How a base is retrained on sources and fine-tuned on a target."""

    backbone: BackboneSettings = Field(BackboneSettings(), description="network and the weights it starts from")
    base_epochs: int = Field(10, ge=1, le=10_000, description="epochs of the base: passes over as many rows")
    epochs: int = Field(20, ge=1, le=10_000, description="epochs of the target")
    batch_size: int = Field(32, ge=2, description="rows of a batch, all devices together")
    learning_rate: float = Field(0.01, gt=0, lt=1, description="peak of the one-cycle schedule of SGD")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of SGD")
    weight_decay: float = Field(1e-4, ge=0, lt=1, description="weight decay of SGD")
    class_weights: Literal["none", "root", "balanced"] = Field(
        "balanced", description="weigh a class of the target by 1, 1/sqrt(frequency) or 1/frequency"
    )
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field("32-true", description="AMP mode")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a fit; 0 takes all cores")

    @property
    def of_target(self) -> TrainingSettings:
        """The same for the training loop, of the target."""
        shared = self.model_dump(include=set(type(self).model_fields) - {"base_epochs", "learning_rate", "momentum"})
        return TrainingSettings.parse(
            {**shared, "sgd": {"learning_rate": self.learning_rate, "momentum": self.momentum}}
        )

    @property
    def of_base(self) -> TrainingSettings:
        """The same for the training loop, of the base."""
        return self.of_target.model_copy(update={"epochs": self.base_epochs})


class LossSettings(Settings):
    """What a segmentation network is trained on."""

    name: Literal["autoencoder", "cross_entropy", "squared"] = Field("autoencoder", description="loss")
    alpha: float = Field(0.7, gt=0, lt=1, description="weight of what is too high, of the auto-encoder loss")
    target: Literal["text", "printed"] = Field(
        "text", description="reading of the auto-encoder loss's target: eq. 2 as its text tells it, or as printed"
    )


class SegmentationSettings(SharedSettings):
    """How a segmentation network is fitted."""

    unet: UnetSettings = Field(UnetSettings(), description="network")
    loss: LossSettings = Field(LossSettings(), description="loss")
    labels: tuple[str, ...] = Field(("scratch",), min_length=1, description="classes that are looked for")
    direction_blind: bool = Field(
        False, description="look at the mean over light states only: what direction is worth, to compare"
    )
    patch_px: int = Field(1024, ge=64, description="edge of a training patch; a multiple of 32 blocks")
    epochs: int = Field(50, ge=1, le=10_000, description="epochs")
    patches: int = Field(4000, ge=1, description="patches of an epoch")
    batch_size: int = Field(16, ge=2, description="patches of a batch, all devices together")
    scratch_share: float = Field(
        0.0, ge=0, le=1, description="share of a batch's patches with a scratch; one at least, as published"
    )
    learning_rate: float = Field(1e-4, gt=0, lt=1, description="learning rate of Adam")
    schedule: Literal["constant", "one-cycle"] = Field("constant", description="course of the learning rate")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field("32-true", description="AMP mode")
    workers: int = Field(0, ge=0, description="loader processes per device")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a fit; 0 takes all cores")

    @model_validator(mode="after")
    def _whole_patches(self) -> Self:
        step = 32 * self.unet.block_px
        if self.patch_px % step:
            raise ValueError(f"patch_px must be a multiple of {step}, got {self.patch_px}")
        if self.patches < self.batch_size:
            raise ValueError(f"patches must be at least batch_size ({self.batch_size}), got {self.patches}")
        return self


class ImageFitSettings(SharedSettings):
    """How networks are fitted on patches of annotated images."""

    epochs: int = Field(20, ge=1, le=10_000, description="epochs")
    batch_size: int = Field(8, ge=2, description="patches of a batch, all devices together")
    learning_rate: float = Field(2e-3, gt=0, lt=1, description="peak of the one-cycle schedule of AdamW")
    weight_decay: float = Field(1e-4, ge=0, lt=1, description="weight decay of AdamW")
    precision: Literal["32-true", "16-mixed", "bf16-mixed"] = Field("32-true", description="AMP mode")
    workers: int = Field(0, ge=0, description="loader processes per device")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a fit; 0 takes all cores")


class RegressionSettings(ImageFitSettings):
    """How the severity detector is fitted."""

    detector: DetectorSettings = Field(DetectorSettings(), description="network")
    depth_window: DepthWindow | None = Field(
        None, description="grey levels [low, high] that become 0 and 255 where images have more than 8 bit"
    )
    light_state: int | None = Field(
        None, ge=0, description="light state of captures to look at; the maximum over all by default"
    )
    patch_px: int = Field(256, ge=64, multiple_of=4, description="edge of a training patch")
    patches: int = Field(512, ge=1, description="patches of an epoch")
    defect_share: float = Field(0.7, ge=0, le=1, description="share of patches that are drawn around a defect")

    @model_validator(mode="after")
    def _one_batch_at_least(self) -> Self:
        if self.patches < self.batch_size:
            raise ValueError(f"patches must be at least batch_size ({self.batch_size}), got {self.patches}")
        return self


class DefectTypeSettings(ImageFitSettings):
    """How the network that tells types of defects apart is fitted."""

    classifier: TypeSettings = Field(TypeSettings(), description="network")
    windows: int = Field(1024, ge=2, description="windows of an epoch, as many of each class")
    batch_size: int = Field(32, ge=2, description="windows of a batch, all devices together")
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="peak of the one-cycle schedule of AdamW")

    @model_validator(mode="after")
    def _one_batch_at_least(self) -> Self:
        if self.windows < self.batch_size:
            raise ValueError(f"windows must be at least batch_size ({self.batch_size}), got {self.windows}")
        return self
