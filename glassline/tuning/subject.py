"""What is tuned: a method on a table, and the settings it is tuned from."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from glassline.data.samples import SampleTable
from glassline.data.store import Store
from glassline.errors import SettingsError
from glassline.models.settings import NETWORK_NAMES
from glassline.settings import Settings
from glassline.training.settings import RegressionSettings, SegmentationSettings, TrainingSettings
from glassline.tuning.spaces import SEVERITY, SPACES, Value

#: Called after every epoch with its number, a score that trials are compared by (higher is better) and all metrics.
Watch = Callable[[int, float, dict[str, float]], None]


#: Settings that say where a fit runs, not what it gives.
OF_MACHINE = ("threads", "workers", "devices")


def default_settings(method: str) -> Settings:
    """Return the settings that a method is tuned from.

    Raises:
        SettingsError: No method has this name; lists the names.
    """
    if method not in SPACES:
        raise SettingsError(f"METHOD must be one of {', '.join(SPACES)}, got {method!r}; choose one of them")
    if method in NETWORK_NAMES:
        return SegmentationSettings.parse({"unet": {"network": method}})
    return RegressionSettings() if method == SEVERITY else TrainingSettings()


def with_values(settings: Settings, values: Mapping[str, Value]) -> Any:
    """Return settings with values laid over them by dotted name, checked again.

    Raises:
        SettingsError: A value is out of range beside the others.
    """
    told = settings.model_dump()
    for name, value in values.items():
        *path, last = name.split(".")
        inner = told
        for part in path:
            inner = inner[part]
        inner[last] = value
    return type(settings).parse(told)


@dataclass(frozen=True)
class Subject(ABC):
    """A method on a table.

    Attributes:
        method: Its name.
        table: Patches with folds, or images.
        seed: Seed of every fit.
        folder: Where it may keep what all trials share.
    """

    method: str
    table: SampleTable
    seed: int
    folder: Path

    #: The metric that trials are compared by, and the group of `retrain`'s settings that holds those searched.
    objective = "macro_f1"
    group = "training"

    @cached_property
    def data_hash(self) -> str:
        """Hash of all rows of the table."""
        return self.table.content_hash()

    @property
    @abstractmethod
    def judged_on(self) -> str:
        """What trials are judged on, for a reader."""

    @abstractmethod
    def judge(self, settings: Any, checkpoints: Store, watch: Watch) -> dict[str, float]:
        """Fit with settings and return metrics in [0, 1], the objective among them.

        Args:
            settings: As `default_settings` returns them.
            checkpoints: Where a killed fit resumes from.
            watch: Called after every epoch of this call; what it raises ends the fit.

        Raises:
            DataError: The data cannot be trained on.
            ModelError: The fit left the finite numbers, or collapsed.
        """
