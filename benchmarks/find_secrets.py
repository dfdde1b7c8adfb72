"""Look for the stack's credentials in compiled YAML, runs, logs, MLflow, images and what the engine tells.

    set -a && . stack/client.env && set +a
    python benchmarks/find_secrets.py runs/containers pipelines/compiled

The values of AWS_SECRET_ACCESS_KEY and AWS_ACCESS_KEY_ID, and those of stack/.env, must be found nowhere. Looked at are
files of runs (artifacts and MLflow's too), the tracking server's runs and models, what our layers put into images, and
logs and command lines of containers and processes; libraries inside images are not.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import docker
import typer
from mlflow import MlflowClient

_ROOT = Path(__file__).resolve().parents[1]


def main(
    folders: Annotated[list[Path], typer.Argument(help="folders of runs and of YAML, logs")],
    stack: Annotated[Path, typer.Option(help="settings of the stack")] = _ROOT / "stack" / ".env",
) -> None:
    """Look everywhere, and say where."""
    secrets = _secrets(stack)
    looked, found = 0, []
    for where, content in _places(folders):
        looked += 1
        found += [f"{name} stands in {where}" for name, value in secrets.items() if value in content]
    print(f"{len(secrets)} secrets, {looked} places, {len(found)} found")
    if found:
        sys.exit("\n".join(found))


def _secrets(stack: Path) -> dict[str, bytes]:
    told = dict(line.split("=", 1) for line in stack.read_text().splitlines() if "=" in line and line[0] != "#")
    told |= {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    names = [name for name in told if name.endswith(("PASSWORD", "SECRET_ACCESS_KEY", "ACCESS_KEY_ID"))]
    assert len(names) >= 3, f"three credentials must be known, got {names}; source stack/client.env"
    return {name: told[name].encode() for name in names}


def _places(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        files = [folder] if folder.is_file() else [path for path in sorted(folder.rglob("*")) if path.is_file()]
        assert files, f"{folder} must hold files"
        for path in files:
            yield str(path), path.read_bytes()
    yield from _of_mlflow()
    engine = docker.from_env()
    images = [image for image in engine.images.list() if any(tag.startswith("glassline/") for tag in image.tags)]
    assert len(images) >= 5, f"the images of steps and stack must be here, got {len(images)}"
    for image in images:
        yield f"history of {image.tags[0]}", str([image.history(), image.attrs]).encode()
        yield from _files_of(image.tags[0])
    for container in engine.containers.list(all=True):
        if container.attrs["HostConfig"]["LogConfig"]["Type"] != "none":
            yield f"log of {container.name}", container.logs()
        yield f"command of {container.name}", str(container.attrs["Config"]["Cmd"]).encode()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield f"command line of process {process.parent.name}", process.read_bytes()
        except OSError:  # it ended
            continue


def _of_mlflow() -> Iterator[tuple[str, bytes]]:
    client = MlflowClient()
    runs = client.search_runs([one.experiment_id for one in client.search_experiments()], max_results=5000)
    assert runs, "MLflow must hold runs"
    for run in runs:
        yield f"tags and parameters of run {run.info.run_id}", str([run.data.tags, run.data.params]).encode()
    for model in client.search_registered_models():
        yield f"model {model.name}", str(model).encode()


def _files_of(image: str) -> Iterator[tuple[str, bytes]]:
    """Yield what our layers put into an image; libraries are left out for their size."""
    command = ["docker", "run", "--rm", "--network=none", "--user=0", "--entrypoint=sh", image, "-c", _SHOW]
    content = subprocess.run(command, check=True, capture_output=True).stdout
    assert len(content) > 10_000, f"files of {image} must be read, got {len(content)} bytes"
    yield f"files of {image}", content


_SHOW = (
    "env; for place in /opt/glassline/src /opt/glassline/requirements.txt /home /root /etc /usr/local /var/lib"
    " /run /tmp; do find $place -type f -size -4M -exec cat {} + 2>/dev/null; done; true"
)

if __name__ == "__main__":
    typer.run(main)
