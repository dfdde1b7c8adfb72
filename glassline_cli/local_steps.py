"""Steps of a pipeline by kfp's local runners."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

#: How steps run: each in a process of this installation, or in a container of its image.
Runner = Literal["subprocess", "docker"]

#: Steps of the branch that captures take, and of the one that defects with a place take.
_OF_THE_SEGMENTATION, _OF_THE_SEVERITY = 5, 6


def run_steps(pipeline: Any, arguments: Mapping[str, Any], out: Path, key: str, runner: Runner) -> None:
    """Run the steps of a pipeline one after the other, two at a time where it fans out.

    Args:
        pipeline: The pipeline function.
        arguments: Its arguments.
        out: Folder for artifacts and cache.
        key: Name of the cache; a try of the same key continues it.
        runner: How steps run.

    Raises:
        RuntimeError: A step failed.
    """
    from kfp import local

    from glassline_cli.task_handlers import handlers

    warnings.filterwarnings("ignore", category=FutureWarning, module="kfp")
    warnings.filterwarnings("ignore", message=".*custom or non-Python base image.*")
    warnings.filterwarnings("ignore", message=".*have no effect in the current local runner")
    local.init(
        runner=_containers(arguments, out) if runner == "docker" else local.SubprocessRunner(use_venv=False),
        pipeline_root=str(out.absolute() / "artifacts"),
        enable_caching=True,
        cache_root=str(out / "cache" / key),
    )
    _drop_retries(pipeline)
    with handlers():
        pipeline(**arguments)


def _containers(arguments: Mapping[str, Any], out: Path) -> Any:
    from kfp import local

    from glassline_cli.step_engine import container_options

    return local.DockerRunner(**container_options(arguments, out))


def _drop_retries(pipeline: Any) -> None:
    """Take the steps' retry policies away: they are for evicted ones, here they would repeat a user's own error."""
    spec = pipeline.pipeline_spec
    for dag in (spec.root.dag, *(component.dag for component in spec.components.values())):
        for task in dag.tasks.values():
            task.ClearField("retry_policy")


def count_steps(pipeline: Any, arguments: Mapping[str, Any]) -> int:
    """Count the steps that will run, for the progress bar."""
    names = list(pipeline.pipeline_spec.deployment_spec["executors"])
    steps = len(names) - 1 + len(arguments.get("fold_parts", [0])) - 1
    if arguments.get("proposals") is False:
        steps -= 1
    if "segment" in arguments:  # the report is wired twice, once for each branch
        steps += len(arguments["zone_parts"]) - 2 if arguments["segment"] else -_OF_THE_SEGMENTATION - 1
    if "severity" in arguments:
        steps += len(arguments["image_parts"]) - 1 if arguments["severity"] else -_OF_THE_SEVERITY
    return steps + len(arguments.get("entries", [0])) - 1
