"""Names of the pipelines, for the command line and for compiling."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol

from glassline.data.storage import ready_folder
from glassline.errors import SettingsError

COMPILED = Path(__file__).parent / "compiled"


class PipelineSettings(Protocol):
    """What the settings of every pipeline can tell."""

    @property
    def simulated(self) -> Literal["line-scan", "labels", "session", "product", "tool-mark", "benchmark"]:
        """What is simulated when a run names no data."""
        ...

    @property
    def seed(self) -> int:
        """Seed of the run, and of data that is simulated for it."""
        ...

    @property
    def hashes(self) -> int:
        """How many SHA-256 `hash_of` joins by `+`."""
        ...

    def hash_of(self, data: str) -> str:
        """Return the SHA-256 of the data."""
        ...

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments."""
        ...


@dataclass(frozen=True)
class Entry:
    """A pipeline, imported when it is asked for: kfp takes seconds, and each one's settings their own libraries."""

    name: str

    def load(self) -> Any:
        """Return the pipeline function."""
        return getattr(import_module(f"pipelines.{self.name}"), self.name)

    @property
    def presets(self) -> dict[str, Callable[[], PipelineSettings]]:
        """What makes the settings of each preset, by its name."""
        found: dict[str, Callable[[], PipelineSettings]] = import_module(f"pipelines.{self.name}_settings").PRESETS
        return found


PIPELINES = {
    name: Entry(name)
    for name in ("capture", "retrain", "end_to_end", "new_cycle", "transfer", "root_cause", "benchmark")
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


def compiled_components(name: str) -> set[str]:
    """Return the names of the components that a pipeline is made of."""
    executors = find(name).load().pipeline_spec.deployment_spec["executors"]
    args = [list(executor["container"]["args"]) for executor in executors.values()]
    return {words[words.index("--function_to_execute") + 1] for words in args}
