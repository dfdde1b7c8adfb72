"""What a run in containers needs of this machine: an engine that answers, images of this code, folders it may see."""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import docker
from docker.types import Mount

from glassline.data.importers.captures import LABEL_FILES
from glassline.data.labels import read_labels
from glassline.data.storage import ready_folder
from glassline.errors import EngineError
from glassline_cli.image_code import check_code
from glassline_cli.step_container import RUN_LABEL

#: User of the images.
_USER = 10001

#: Arguments that name a folder which steps write to; others are read.
_WRITTEN = ("store", "captures")

#: What a step finds its servers and their keys by.
_PASSED_ON = ("MLFLOW_", "AWS_", "MALLOC_")


def check_engine(pipeline: Any) -> None:
    """See that the engine answers and has an image of this very code for every step.

    Args:
        pipeline: The pipeline function.

    Raises:
        EngineError: No engine answers, an image is missing and cannot be pulled, or was built from other code.
    """
    try:
        client = docker.from_env(timeout=20)
        client.ping()
    except docker.errors.DockerException as error:
        where = os.environ.get("DOCKER_HOST", "its usual socket")
        raise EngineError(
            f"a Docker engine must answer at {where}, got {_first_line(error)}; start one, or set DOCKER_HOST"
        ) from None
    executors = pipeline.pipeline_spec.deployment_spec["executors"].values()
    try:
        for reference in sorted({executor["container"]["image"] for executor in executors}):
            _check_image(client, reference)
    finally:
        client.close()


def _check_image(client: Any, reference: str) -> None:
    try:
        image = client.images.get(reference)
    except docker.errors.ImageNotFound:
        image = _pulled(client, reference)
    check_code(reference, image.labels)


def _pulled(client: Any, reference: str) -> Any:
    try:
        return client.images.pull(reference)
    except docker.errors.DockerException as error:
        raise EngineError(
            f"the image {reference} must be on this machine or in a registry, got {_first_line(error)}; run `make "
            "images`, or set GLASSLINE_IMAGE_PREFIX and GLASSLINE_IMAGE_TAG"
        ) from None


def container_options(arguments: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Return what every step's container is started with, as arguments of kfp's DockerRunner.

    Steps run as the caller, or as the images' own user where the caller is root: the run's folder is given to it.

    Args:
        arguments: The pipeline's arguments; folders and files among them are mounted where they are.
        out: Folder of the run.

    Raises:
        EngineError: A folder that steps write to belongs to another user, or they may not read one.
    """
    uid, gid = os.getuid(), os.getgid()
    written = [out.absolute(), *(Path(arguments.get(name, "")) for name in _WRITTEN if _is_local(arguments.get(name)))]
    for folder in written:
        ready_folder(folder)
    if uid == 0:
        uid = gid = _USER
        for path in (out, *out.rglob("*")):
            os.chown(path, uid, gid, follow_symlinks=False)
        for folder in written:
            _give_if_empty(folder, uid)
    mounts = _mounts(arguments, written)
    for mount in mounts:
        _check_readable(Path(mount["Target"]), uid)
    return {
        "mounts": mounts,
        "user": f"{uid}:{gid}",
        # MLflow and the object store may listen on this machine alone.
        "network_mode": "host",
        "init": True,
        "shm_size": "2g",
        "labels": {RUN_LABEL: str(out.absolute())},
        "environment": {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)},
    }


def _give_if_empty(folder: Path, uid: int) -> None:
    """Give a folder to the images' user; one that holds another user's files is left alone."""
    if folder.stat().st_uid == uid:
        return
    if any(folder.iterdir()):
        raise EngineError(
            f"{folder} must belong to user {uid}, as whom steps run in containers when root starts them, got user "
            f"{folder.stat().st_uid}; chown it, or run as its user"
        )
    os.chown(folder, uid, uid)


def _check_readable(folder: Path, uid: int) -> None:
    found = folder.stat()
    if uid not in (os.getuid(), found.st_uid) and found.st_mode & 0o005 != 0o005:
        raise EngineError(
            f"{folder} must be readable by user {uid}, as whom steps run in containers when root starts them, got mode "
            f"{found.st_mode & 0o777:04o}; chmod o+rx it, or run as its user"
        )


def _mounts(arguments: Mapping[str, Any], written: Sequence[Path]) -> list[Mount]:
    read = {folder for value in arguments.values() for folder in _folders(value)}
    read = {folder for folder in read if not any(folder.is_relative_to(one) for one in written)}
    return [Mount(str(folder), str(folder), "bind") for folder in sorted(set(written))] + [
        Mount(str(folder), str(folder), "bind", read_only=True) for folder in sorted(read)
    ]


def _folders(value: Any) -> Iterator[Path]:
    """Yield the folders of this machine that an argument names, or names a file in; of labels also their captures'."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _folders(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _folders(one)
    elif _is_local(value) and (path := Path(value)).exists():
        yield path if path.is_dir() else path.parent
        labels = [path] if path.name in LABEL_FILES else [path / name for name in LABEL_FILES if path.is_dir()]
        for file in labels:
            if file.is_file() and _is_local(captures := read_labels(file).captures):
                yield Path(captures)


def _is_local(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("/")


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]
