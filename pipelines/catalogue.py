"""Names of the pipelines, for the command line and for compiling."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from glassline.data.storage import ready_folder
from glassline.errors import SettingsError
from pipelines import capture_settings, end_to_end_settings, retrain_settings, root_cause_settings, transfer_settings

COMPILED = Path(__file__).parent / "compiled"


class PipelineSettings(Protocol):
    """What the settings of every pipeline can tell."""

    @property
    def simulated(self) -> Literal["line-scan", "labels", "session", "product", "tool-mark"]:
        """What is simulated when a run names no data."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the run, and of data that is simulated for it."""
        ...

    def hash_of(self, data: str) -> str:
        """Return the SHA-256 of the data."""
        ...

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments."""
        ...


@dataclass(frozen=True)
class Entry:
    """A pipeline by name: how to load it (kfp is imported then), and its presets, which name its settings."""

    load: Callable[[], Any]
    presets: dict[str, Callable[[], PipelineSettings]]


def _retrain() -> Any:
    from pipelines.retrain import retrain

    return retrain


def _capture() -> Any:
    from pipelines.capture import capture

    return capture


def _end_to_end() -> Any:
    from pipelines.end_to_end import end_to_end

    return end_to_end


def _transfer() -> Any:
    from pipelines.transfer import transfer

    return transfer


def _root_cause() -> Any:
    from pipelines.root_cause import root_cause

    return root_cause


PIPELINES = {
    "capture": Entry(_capture, capture_settings.PRESETS),
    "retrain": Entry(_retrain, retrain_settings.PRESETS),
    "end_to_end": Entry(_end_to_end, end_to_end_settings.PRESETS),
    "transfer": Entry(_transfer, transfer_settings.PRESETS),
    "root_cause": Entry(_root_cause, root_cause_settings.PRESETS),
}


def find(name: str) -> Entry:
    """Return a pipeline by name.

    Raises:
        SettingsError: No pipeline has this name; lists the names.
    """
    if name not in PIPELINES:
        raise SettingsError(f"pipeline must be one of {', '.join(PIPELINES)}, got {name!r}; choose one of them")
    return PIPELINES[name]


def compile_pipeline(name: str, folder: Path = COMPILED) -> Path:
    """Compile a pipeline to `<folder>/<name>.yaml` and return the path."""
    import warnings

    from kfp import compiler

    path = folder / f"{name}.yaml"
    ready_folder(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # kfp's own deprecations
        compiler.Compiler().compile(find(name).load(), str(path))
    return path
