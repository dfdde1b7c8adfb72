"""Pipelines whose steps run in containers: as in processes, and when containers are killed."""

import io
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from glassline.data.storage import folder_hash

Glassline = Callable[..., subprocess.CompletedProcess[str]]

_SMALL = ("--set", "data_format=image-folder", "--set", "clean_class=plain", "--set", "folds=3")


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """A client of the container engine; absent is an error in CI and a skip elsewhere."""
    import docker

    try:
        client = docker.from_env()
        client.images.get("glassline/vision-python:0.1.0")
        client.images.get("glassline/training-python:0.1.0")
    except docker.errors.DockerException as error:
        message = f"an engine and images must be there ({error}); start one and run `make images`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    yield client
    client.close()


def _when_running(engine: Any, step: str, out: Path, act: Callable[[Any], None]) -> threading.Thread:
    """Do something to the container of a step of the run in `out`, once, two seconds after it appears."""

    def watch() -> None:
        deadline = time.monotonic() + 600
        while time.monotonic() < deadline:
            # One that ends between the list and a look at it is passed over.
            for one in engine.containers.list(filters={"label": f"glassline.run={out}"}, ignore_removed=True):
                if f"def {step}(" in " ".join(one.attrs["Config"]["Cmd"] or []):
                    time.sleep(2)
                    act(one)
                    return
            time.sleep(0.2)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def readable(tiles: Path) -> Path:
    """Images that the containers' user may read when root starts them."""
    tiles.chmod(0o755)
    return tiles


def _models(out: Path) -> list[str]:
    """Return the hashes of the trained models of a run, in the order of their steps' names."""
    return [folder_hash(path) for path in sorted(out.glob("artifacts/*/train-*/model"), key=lambda one: one.parts[-2])]


@pytest.mark.timeout(2400)  # a run in processes, then one in containers
def test_run_in_containers_survives_a_kill_and_trains_the_models_that_processes_train(
    engine: Any, glassline: Glassline, readable: Path, tmp_path: Path
) -> None:
    command = (
        "run",
        "retrain",
        "--data",
        readable,
        *_SMALL,
        "--set",
        "training.epochs=6",
        "--set",
        "models=[cnn, svm]",
    )
    command = (*command, "--set", "model_name=cnn")
    plain = glassline(*command, "--out", tmp_path / "processes")
    assert plain.returncode == 0, plain.stdout + plain.stderr
    killer = _when_running(engine, "train_ensemble", tmp_path / "containers", lambda one: one.kill())
    done = glassline(*command, "--out", tmp_path / "containers", "--runner", "docker")
    killer.join(1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "was killed" in (tmp_path / "containers" / "pipeline.log").read_text()
    assert _models(tmp_path / "containers") == _models(tmp_path / "processes") != []
    assert engine.containers.list(all=True, filters={"label": f"glassline.run={tmp_path / 'containers'}"}) == []


def test_run_does_not_take_a_container_that_vanished_for_a_step_that_succeeded(
    engine: Any, glassline: Glassline, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    remover = _when_running(engine, "find_root_cause", out, lambda one: one.remove(force=True))
    done = glassline("run", "root_cause", "--out", out, "--runner", "docker")
    remover.join(1)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "it is started again" in (out / "pipeline.log").read_text()


def test_run_tells_a_users_error_once_and_starts_no_container_again(
    engine: Any, glassline: Glassline, readable: Path, tmp_path: Path
) -> None:
    done = glassline(
        "run", "retrain", "--data", readable, *_SMALL, "--set", "clean_class=unheard-of", "--out", tmp_path / "run",
        "--runner", "docker",
    )  # fmt: skip
    assert done.returncode == 1
    assert "unheard-of" in done.stderr
    assert "Traceback" not in done.stderr
    assert "started again" not in (tmp_path / "run" / "pipeline.log").read_text()


def test_run_refuses_an_image_that_was_built_from_other_code(engine: Any, glassline: Glassline, tmp_path: Path) -> None:
    other, content = "glassline-test/other:1", b"FROM glassline/vision-python:0.1.0\nLABEL glassline.code=other\n"
    engine.images.build(fileobj=io.BytesIO(content), tag=other)
    done = glassline("run", "root_cause", "--out", tmp_path / "run", "--runner", "docker", GLASSLINE_IMAGE_VISION=other)
    assert done.returncode == 1
    assert "it was built from other code" in done.stderr


def test_run_names_an_image_that_does_not_exist(engine: Any, glassline: Glassline, tmp_path: Path) -> None:
    missing = "127.0.0.1:9/none:1"
    done = glassline(
        "run", "root_cause", "--out", tmp_path / "run", "--runner", "docker", GLASSLINE_IMAGE_VISION=missing
    )
    assert done.returncode == 1
    assert "must be on this machine or in a registry" in done.stderr
    assert "Traceback" not in done.stderr
