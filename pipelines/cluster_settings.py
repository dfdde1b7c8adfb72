"""What a cluster gives each class of steps, read once from the YAML file that GLASSLINE_CLUSTER names.

Pipelines are built when they are imported, so the file is read then, as `components.images` reads its environment.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from glassline.settings import Settings

#: Environment variable with the path of the file; `--cluster FILE` sets it.
VARIABLE = "GLASSLINE_CLUSTER"

#: Secrets in the namespace of the runs, and what they hold; a YAML names them and never holds a value.
SECRETS = {
    "glassline-s3": (
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL",
    ),
    "glassline-mlflow": (
        "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN",
    ),
}  # fmt: skip

_BYTES = {"Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "M": 10**6, "G": 10**9, "T": 10**12}


def _cores(quantity: str) -> float:
    return int(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def _bytes(quantity: str) -> int:
    found = re.fullmatch(r"(\d+)([MGT]i?)", quantity)
    return int(found[1]) * _BYTES[found[2]] if found else 0


def _checked_cpu(value: Any) -> str:
    text = str(value)
    if not re.fullmatch(r"\d+m|\d+(\.\d+)?", text) or not _cores(text):
        raise ValueError(f"CPU must be a number of cores such as 2, 0.5 or 500m, got {text!r}")
    return text


def _checked_memory(value: Any) -> str:
    text = str(value)
    if not _bytes(text):
        raise ValueError(f"memory must be a whole number with a unit, such as 512Mi or 16Gi, got {text!r}")
    return text


Cpu = Annotated[str, BeforeValidator(_checked_cpu)]
Memory = Annotated[str, BeforeValidator(_checked_memory)]


class Toleration(Settings):
    """A taint that steps may run in spite of, as Kubernetes writes it."""

    key: str = Field("", description="key of the taint; '' with Exists is every one")
    operator: Literal["Equal", "Exists"] = Field("Equal", description="Exists takes any value")
    value: str = Field("", description="value of the taint")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field("NoSchedule", description="its effect")


class StepClass(Settings):
    """What every step of a class asks for, how much it may use, and on which nodes it runs."""

    cpu: Cpu = Field("500m", description="cores asked for")
    cpu_limit: Cpu = Field("2", description="cores at most")
    memory: Memory = Field("1Gi", description="memory asked for")
    memory_limit: Memory = Field("4Gi", description="memory at most, /dev/shm included")
    shared_memory: Memory | None = Field(None, description="size of a /dev/shm in memory; none is the node's 64Mi")
    accelerators: int = Field(0, ge=0, le=64, description="GPUs; 0 runs on CPUs")
    accelerator: str = Field("nvidia.com/gpu", pattern=r"^\S+/\S+$", description="resource that nodes call them")
    node_selector: dict[str, str] = Field({}, description="labels that a node must have")
    tolerations: tuple[Toleration, ...] = Field((), description="taints that do not keep it away")

    @model_validator(mode="after")
    def _fits(self) -> "StepClass":
        if _cores(self.cpu) > _cores(self.cpu_limit):
            raise ValueError(f"cpu must be <= cpu_limit, got {self.cpu} and {self.cpu_limit}; raise cpu_limit")
        if _bytes(self.memory) > _bytes(self.memory_limit):
            raise ValueError(f"memory must be <= memory_limit, got {self.memory} and {self.memory_limit}; raise it")
        if self.shared_memory and _bytes(self.shared_memory) >= _bytes(self.memory_limit):
            raise ValueError(f"shared_memory must be < memory_limit, {self.memory_limit}, got {self.shared_memory}")
        return self


class VisionClass(StepClass):
    """Steps that read images and run no large network."""

    cpu: Cpu = Field("2", description="cores asked for")
    cpu_limit: Cpu = Field("4", description="cores at most")
    memory: Memory = Field("4Gi", description="memory asked for")
    memory_limit: Memory = Field("8Gi", description="memory at most, /dev/shm included")


class NetworkClass(VisionClass):
    """Steps that run a trained network over images."""

    memory_limit: Memory = Field("16Gi", description="memory at most, /dev/shm included")


class TrainingClass(StepClass):
    """Steps that train networks."""

    cpu: Cpu = Field("4", description="cores asked for")
    cpu_limit: Cpu = Field("8", description="cores at most")
    memory: Memory = Field("8Gi", description="memory asked for")
    memory_limit: Memory = Field("24Gi", description="memory at most, /dev/shm included")
    shared_memory: Memory | None = Field("4Gi", description="size of a /dev/shm in memory; none is the node's 64Mi")


class RetrySettings(Settings):
    """How often a step that was evicted or failed is tried again; not the ones that register a model."""

    times: int = Field(2, ge=0, le=10, description="tries after the first; 0 is none")
    wait_s: int = Field(60, ge=1, le=86_400, description="seconds before the first of them")
    factor: float = Field(2, ge=1, le=10, description="each wait is so many times the one before")
    # Argo counts from the start of the first try, hours of training included.
    within_s: int = Field(
        604_800, ge=1, le=2_592_000, description="seconds from the first try's start after which none begins"
    )


class ClusterSettings(Settings):
    """What a cluster gives to steps."""

    light: StepClass = Field(StepClass(), description="tables and figures")
    vision: VisionClass = Field(VisionClass(), description="images, no large network")
    network: NetworkClass = Field(NetworkClass(), description="a trained network over images")
    training: TrainingClass = Field(TrainingClass(), description="fits of networks")
    retry: RetrySettings = Field(RetrySettings(), description="tries after a failure")
    parallelism: int = Field(10, ge=1, le=1000, description="parts of one loop that run at a time")
    claims: dict[str, str] = Field({}, description="PersistentVolumeClaim and the path where every step sees it")
    deadline_s: int = Field(0, ge=0, lt=2**31, description="seconds after which a run is ended; 0 never")
    keep_s: int = Field(0, ge=0, lt=2**31, description="seconds that its pods are kept after it; 0 for ever")

    @model_validator(mode="after")
    def _mounted(self) -> "ClusterSettings":
        for claim, path in self.claims.items():
            if not re.fullmatch(r"/\S+", path) or path.startswith("/dev/"):
                raise ValueError(f"claims must name a path such as /data for each claim, got {claim}: {path!r}")
        return self


def use_cluster(path: Path | None) -> None:
    """Let pipelines that are imported from now on be built for the cluster of a file; None leaves all as it is.

    Raises:
        SettingsError: See `Settings.read`.
    """
    if path is not None:
        ClusterSettings.read(path)
        os.environ[VARIABLE] = str(path.absolute())


def cluster_settings() -> ClusterSettings:
    """Return the settings of the file that GLASSLINE_CLUSTER names, or the defaults.

    Raises:
        SettingsError: See `Settings.read`.
    """
    named = os.environ.get(VARIABLE)
    return ClusterSettings.read(Path(named)) if named else ClusterSettings()
