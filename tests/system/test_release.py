"""`glassline release` with a real engine and a real registry, and images of one file."""

import io
import os
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from glassline.data.storage import code_hash
from glassline_cli.release import FAMILIES

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = """
version: 0.1
storage: {{filesystem: {{rootdirectory: "{folder}"}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def _docker(*words: str, given: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["docker", *words], input=given, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a registry on this machine; absent programs are an error in CI and a skip elsewhere."""
    missing = [name for name in ("docker", "docker-registry") if shutil.which(name) is None]
    if not missing and _docker("version").returncode:
        missing = ["engine that docker reaches"]
    if missing:
        message = f"no {', '.join(missing)}; install docker.io and docker-registry, and start the engine"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    folder = tmp_path_factory.mktemp("registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (folder / "config.yaml").write_text(_CONFIG.format(folder=folder / "images", port=port))
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yaml")], stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/v2/", process, folder / "log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    pytest.fail(f"the registry does not answer: {log.read_text()}")


@pytest.fixture
def images(registry: str) -> Iterator[str]:
    """Build an image of one file for each family, and return the prefix that they are under."""
    label = f"LABEL glassline.code={code_hash('.')}"
    prefix = f"glassline-test-{uuid.uuid4().hex[:8]}"
    for family in FAMILIES:
        held = io.BytesIO()
        with tarfile.open(fileobj=held, mode="w") as tar:
            told = tarfile.TarInfo("family")
            told.size = len(family)
            tar.addfile(told, io.BytesIO(family.encode()))
        done = _docker("import", "--change", label, "-", f"{prefix}/{family}-python:7", given=held.getvalue())
        assert done.returncode == 0, done.stderr
    yield prefix
    for family in FAMILIES:
        _docker(
            "rmi",
            "--force",
            f"{prefix}/{family}-python:7",
            *(f"{one}/team/{family}-python:7" for one in (registry, "127.0.0.1:9")),
        )


def test_release_names_every_image_by_a_digest_that_the_registry_serves(
    glassline: Callable[..., Any], registry: str, images: str, tmp_path: Path
) -> None:
    prefix, out = f"{registry}/team", tmp_path / "release"
    done = glassline("release", "--source", images, "--prefix", prefix, "--tag", "7", "--out", out)
    assert done.returncode == 0, done.stderr
    named = set()
    for path in out.glob("*.yaml"):
        executors = next(yaml.safe_load_all(path.read_text()))["deploymentSpec"]["executors"].values()
        named |= {one["container"]["image"] for one in executors}
    assert {image.partition("@")[0] for image in named} == {f"{prefix}/{family}-python" for family in FAMILIES}
    for image in named:
        name, _, digest = image.removeprefix(f"{registry}/").partition("@")
        wanted = urllib.request.Request(
            f"http://{registry}/v2/{name}/manifests/{digest}", headers={"Accept": _MANIFEST}
        )
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            assert answer.headers["Docker-Content-Digest"] == digest


def test_release_is_refused_in_one_line_when_no_registry_answers(
    glassline: Callable[..., Any], images: str, tmp_path: Path
) -> None:
    words = ["--source", images, "--prefix", "127.0.0.1:9/team", "--tag", "7", "--out", tmp_path / "release"]
    done = glassline("release", *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "docker push must succeed for 127.0.0.1:9/team/vision-python:7" in done.stderr
    assert not (tmp_path / "release").exists()
