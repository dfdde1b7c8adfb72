"""`glassline step`: one step as a plain call, for debugging and for schedulers other than Kubeflow."""

import inspect
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from glassline.errors import SettingsError
from glassline.processes import is_first, torchrun
from glassline_cli.overrides import yaml_value


def step(
    name: Annotated[str, typer.Argument(help="step name, such as split_samples")],
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="an argument of the step (repeatable)")
    ] = None,
) -> None:
    """Run one step of a pipeline by itself; artifacts are given as paths.

    Example: glassline step split_samples --set patches_path=patches.parquet --set folds=10 --set seed=0
    --set split_path=split.parquet

    torchrun starts a step that trains on several GPUs or nodes: torchrun --nproc-per-node 4 -m glassline_cli step
    train_unet --set ...
    """
    started = torchrun()
    if started and started.count > 1 and not name.startswith("train_"):
        raise SettingsError(
            f"torchrun shares out the steps that train, train_..., got {name}; start it without torchrun"
        )
    if not is_first():
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    function = find_step(name)
    typer.echo(json.dumps({"output": function(**checked_arguments(name, function, overrides or []))}))


def checked_arguments(name: str, function: Any, pairs: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a step that `key=value` pairs tell.

    Raises:
        SettingsError: A pair names no argument or holds another type, or an argument is missing.
    """
    known = inspect.signature(function).parameters
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or key not in known:
            raise SettingsError(f"--set takes an argument of {name}: {', '.join(known)}; got {pair!r}")
        arguments[key] = _checked(key, text, known[key].annotation)
    missing = [key for key in known if key not in arguments]
    if missing:
        raise SettingsError(
            f"{name} needs all of {', '.join(known)}; missing: {', '.join(missing)}; give them with --set"
        )
    return arguments


def _checked(key: str, text: str, wanted: Any) -> Any:
    """Return the value of an argument as the type that the step's signature names."""
    from pydantic import TypeAdapter, ValidationError

    if wanted is str:
        return text
    try:
        return TypeAdapter(wanted).validate_python(yaml_value(key, text))
    except ValidationError as error:
        raise SettingsError(f"--set {key}: {error.errors()[0]['msg']}, got {text!r}; mend the value") from error


def find_step(name: str) -> Any:
    """Return the function of a step.

    Raises:
        SettingsError: No step has this name; lists the names.
    """
    import importlib

    import glassline.steps

    names = sorted(path.stem for path in Path(glassline.steps.__path__[0]).glob("[a-z]*.py"))
    if name not in names:
        raise SettingsError(f"step must be one of {', '.join(names)}, got {name!r}; choose one of them")
    return getattr(importlib.import_module(f"glassline.steps.{name}"), name)
