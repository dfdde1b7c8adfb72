"""`glassline release`: push the images of the steps, and compile every pipeline with the digests the registry gave."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer
import yaml

from components.images import Images
from glassline.errors import EngineError, SettingsError
from glassline_cli.compile import CLUSTER
from glassline_cli.image_code import check_code

#: The families that steps' images come in.
FAMILIES = tuple(family.name for family in fields(Images))
_DIGEST = re.compile(r"\S+@sha256:[0-9a-f]{64}")


def release(
    prefix: Annotated[str, typer.Option(help="registry and team, such as registry.example/line-3")],
    tag: Annotated[str, typer.Option(help="tag of the images, here and in the registry")],
    source: Annotated[str, typer.Option(help="prefix that the images were built under")] = "glassline",
    engine: Annotated[str, typer.Option(help="docker, or a program with its commands")] = "docker",
    out: Annotated[Path, typer.Option(help="folder for the YAML")] = Path("build/release"),
    cluster: CLUSTER = None,
) -> None:
    """Push the images, and compile every pipeline so that each step names its image by digest.

    Example: glassline release --prefix registry.example/line-3 --tag 0.1.0
    """
    from pipelines.cluster_settings import use_cluster

    use_cluster(cluster)
    if "/" not in prefix:
        raise SettingsError(
            f"--prefix must name a registry and a team, such as registry.example/line-3, got {prefix!r}"
        )
    if shutil.which(engine) is None:
        raise EngineError(f"--engine must be a program on the path, got {engine!r}; install docker or name another")
    for family in FAMILIES:
        check_built(engine, _image(source, tag, family))
    digests = {family: push(engine, source, prefix, tag, family) for family in FAMILIES}
    with tempfile.TemporaryDirectory() as folder:
        compile_with(digests, Path(folder))
        check_digests(Path(folder))
        for path in sorted(Path(folder).glob("*.yaml")):
            typer.echo(keep(path, out))
    for digest in digests.values():
        typer.echo(digest)


def check_built(engine: str, image: str) -> None:
    """Refuse an image that is not of this very code: its steps would not do what the pipelines expect.

    Raises:
        EngineError: It is missing, or was built from other code.
    """
    check_code(image, json.loads(_ask(engine, "inspect", "--format", "{{json .Config.Labels}}", image)) or {})


def push(engine: str, source: str, prefix: str, tag: str, family: str) -> str:
    """Push an image and return the name and digest under which the registry keeps it.

    Raises:
        EngineError: The image is missing, the registry refuses, or it told no digest.
    """
    built, pushed = (_image(one, tag, family) for one in (source, prefix))
    if built != pushed:
        _ask(engine, "tag", built, pushed)
    said = _ask(engine, "push", pushed)
    told = json.loads(_ask(engine, "inspect", "--format", "{{json .RepoDigests}}", pushed)) or []
    found = [one for one in told if one.startswith(f"{prefix}/{family}-python@") and _DIGEST.fullmatch(one)]
    # An image that was pushed to an earlier registry of this name has that one's digest too; docker says which is new.
    new = [one for one in found if one.partition("@")[2] in said] or found
    if len(new) != 1:
        raise EngineError(
            f"{pushed} must have one digest in its registry, got {told}; remove the image and build it anew"
        )
    return str(new[0])


def compile_with(digests: dict[str, str], folder: Path) -> None:
    """Compile every pipeline in a process of its own: components read their images when they are imported."""
    images = {f"GLASSLINE_IMAGE_{family.upper()}": digest for family, digest in digests.items()}
    command = [sys.executable, "-m", "glassline_cli", "compile", "--all", "--out", str(folder)]
    done = subprocess.run(command, env={**os.environ, **images}, capture_output=True, text=True)
    if done.returncode:
        raise SettingsError(f"pipelines must compile, got: {_last_line(done.stderr).removeprefix('error: ')}")


def keep(path: Path, out: Path) -> Path:
    """Write a compiled pipeline whole into a folder, whose other files stay, and return where it is."""
    from glassline.data.storage import written_whole

    kept = out / path.name
    with written_whole(kept) as beside:
        shutil.copyfile(path, beside)
    return kept


def check_digests(folder: Path) -> None:
    """Refuse a folder of pipelines in which a step names its image by anything but a digest.

    Raises:
        EngineError: A step does; names it.
    """
    for path in sorted(folder.glob("*.yaml")):
        for step, executor in next(yaml.safe_load_all(path.read_text()))["deploymentSpec"]["executors"].items():
            image = executor["container"]["image"]
            if not _DIGEST.fullmatch(image):
                raise EngineError(
                    f"{path.stem}: {step} must name its image by digest, got {image}; add its family to Images"
                )


def _image(prefix: str, tag: str, family: str) -> str:
    return f"{prefix}/{family}-python:{tag}"


def _ask(engine: str, *words: str) -> str:
    done = subprocess.run([engine, *words], capture_output=True, text=True)
    if done.returncode:
        raise EngineError(
            f"{engine} {' '.join(words[:1])} must succeed for {words[-1]}, got: {_last_line(done.stderr)}; build the "
            "images with `make images`, log in to the registry"
        )
    return done.stdout


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1][:300]
