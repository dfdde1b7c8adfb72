"""Settings of the training loop, apart from it: the command line checks settings without loading torch."""

from typing import Literal, Self

from pydantic import Field, model_validator

from glassline.models.settings import CnnSettings
from glassline.settings import Settings


class TrainingSettings(Settings):
    """How a classifier is fitted."""

    cnn: CnnSettings = Field(CnnSettings(), description="shape of the image branch")
    epochs: int = Field(10, ge=1, le=10_000, description="passes over the training rows at most")
    batch_size: int = Field(64, ge=1, description="rows of a batch, all devices together; a multiple of devices")
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
    devices: int = Field(1, ge=1, description="processes of data-parallel training on one node")
    workers: int = Field(0, ge=0, description="loader processes per device")
    threads: int = Field(0, ge=0, le=1024, description="CPU threads of a fit; 0 takes all cores")

    @model_validator(mode="after")
    def _divide_batch(self) -> Self:
        if self.batch_size % self.devices:
            raise ValueError(f"batch_size must be a multiple of devices ({self.devices}), got {self.batch_size}")
        return self
