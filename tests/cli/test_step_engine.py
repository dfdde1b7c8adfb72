"""What a run in containers needs of this machine."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.errors import EngineError
from glassline_cli import step_engine
from glassline_cli.step_engine import container_options

Glassline = Callable[..., subprocess.CompletedProcess[str]]


def _mounted(options: dict) -> dict[str, bool]:
    """Return which folders are mounted, and whether to be read only."""
    return {mount["Target"]: mount["ReadOnly"] for mount in options["mounts"]}


def test_run_tells_in_one_line_that_no_engine_answers(glassline: Glassline, tmp_path: Path) -> None:
    done = glassline(
        "run", "root_cause", "--out", tmp_path / "run", "--runner", "docker", DOCKER_HOST=f"unix://{tmp_path}/none.sock"
    )
    assert done.returncode == 1
    assert "a Docker engine must answer at unix://" in done.stderr
    assert "Traceback" not in done.stderr


def test_containers_may_write_the_store_that_is_not_there_yet_and_only_read_data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    told = {"data": str(tmp_path / "data"), "store": str(tmp_path / "store"), "seed": 0}
    mounted = _mounted(container_options(told, tmp_path / "out"))
    assert mounted == {
        str(tmp_path / "out"): False, str(tmp_path / "store"): False, str(tmp_path / "data"): True,
    }  # fmt: skip


def test_containers_see_the_captures_that_a_label_file_names(
    write_labelled: Callable[..., Path], tmp_path: Path
) -> None:
    captures = write_labelled(tmp_path / "captures", glasses=1)
    (tmp_path / "labels").mkdir()
    labels = tmp_path / "labels" / "labels.json"
    labels.write_text((captures / "labels.json").read_text().replace('"captures":"."', '"captures":"../captures"'))
    assert _mounted(container_options({"data": str(labels)}, tmp_path / "out"))[str(captures)] is True


def test_containers_see_nothing_of_this_machine_but_the_run_when_all_lies_in_s3(tmp_path: Path) -> None:
    told = {"data": "s3://line/data", "store": "s3://line/store"}
    assert list(_mounted(container_options(told, tmp_path / "out"))) == [str(tmp_path / "out")]


def test_containers_are_handed_keys_and_servers_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HOME_BANKING", "no")
    handed = container_options({}, tmp_path / "out")["environment"]
    assert handed["AWS_SECRET_ACCESS_KEY"] == "secret"
    assert "HOME_BANKING" not in handed


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give folders away")
def test_containers_of_root_refuse_a_store_with_files_of_another_user(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "kept").touch()
    with pytest.raises(EngineError, match=f"must belong to user {step_engine._USER}"):
        container_options({"store": str(tmp_path / "store")}, tmp_path / "out")


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs steps as another user")
def test_containers_of_root_refuse_data_that_their_user_may_not_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    with pytest.raises(EngineError, match="must be readable by user"):
        container_options({"data": str(tmp_path / "data")}, tmp_path / "out")
