"""Names of the pipelines, for the command line and for compiling."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from glassline.data.storage import ready_folder
from glassline.errors import SettingsError
from pipelines.retrain_settings import PRESETS, RetrainSettings

COMPILED = Path(__file__).parent / "compiled"


@dataclass(frozen=True)
class Entry:
    """A pipeline by name: how to load it (kfp is imported then), its settings and its presets."""

    load: Callable[[], Any]
    settings: type[RetrainSettings]
    presets: dict[str, Callable[[], RetrainSettings]]


def _retrain() -> Any:
    from pipelines.retrain import retrain

    return retrain


PIPELINES = {"retrain": Entry(_retrain, RetrainSettings, PRESETS)}


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
