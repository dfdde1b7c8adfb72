"""`glassline release` with an engine that is a script: images are pushed, and pipelines name them by digest."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from glassline.data.storage import code_hash
from glassline.errors import EngineError, GlasslineError, SettingsError
from glassline_cli.app import app
from glassline_cli.release import FAMILIES, check_digests
from pipelines.catalogue import COMPILED, PIPELINES

DIGEST = "sha256:" + "12" * 32
ENGINE = f"""#!{sys.executable}
import json, pathlib, sys
words = sys.argv[1:]
with open({{log!r}}, "a") as file:
    file.write(" ".join(words) + "\\n")
if words[0] == {{fails!r}}:
    sys.exit("waiting\\ndenied: log in first")
if words[0] == "push":
    print({{said!r}})
if words[0] == "inspect" and "Labels" in words[2]:
    print(json.dumps({{labels!r}}))
elif words[0] == "inspect":
    print(json.dumps([one.replace("NAME", words[-1].rpartition(":")[0]) for one in {{digests!r}}]))
"""
Release = Callable[..., Result]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    """Release into `out` with an engine that tells these digests."""

    def call(
        digests: list[str],
        fails: str = "",
        said: str = "",
        prefix: str = "registry.example/team",
        code: str = code_hash("."),
    ) -> Result:
        engine = tmp_path / "engine"
        labels = {"glassline.code": code} if code else None
        told = {"log": str(tmp_path / "log"), "fails": fails, "said": said, "digests": digests, "labels": labels}
        engine.write_text(ENGINE.format(**told))
        engine.chmod(0o755)
        words = ["--prefix", prefix, "--tag", "7", "--engine", engine, "--out", tmp_path / "out"]
        return CliRunner().invoke(app, ["release", *map(str, words)])

    return call


def refusal(result: Result, kind: type[GlasslineError]) -> str:
    assert isinstance(result.exception, kind), result.output
    return str(result.exception)


def test_release_pushes_every_family_and_compiles_every_pipeline_by_digest(release: Release, tmp_path: Path) -> None:
    result = release([f"other.example/vision-python@sha256:{'34' * 32}", f"NAME@{DIGEST}"])
    assert result.exit_code == 0, result.exception
    assert {path.stem for path in (tmp_path / "out").glob("*.yaml")} == set(PIPELINES)
    images = set()
    for path in (tmp_path / "out").glob("*.yaml"):
        executors = next(yaml.safe_load_all(path.read_text()))["deploymentSpec"]["executors"].values()
        images |= {one["container"]["image"] for one in executors}
    assert images == {f"registry.example/team/{family}-python@{DIGEST}" for family in FAMILIES}
    calls = (tmp_path / "log").read_text().splitlines()
    assert calls[2:4] == [
        "tag glassline/vision-python:7 registry.example/team/vision-python:7",
        "push registry.example/team/vision-python:7",
    ]


def test_release_leaves_other_files_of_the_folder(release: Release, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("kept")
    assert release([f"NAME@{DIGEST}"]).exit_code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"notes.txt", *(f"{one}.yaml" for one in PIPELINES)}


@pytest.mark.parametrize("digests", [[], [f"other.example/vision-python@{DIGEST}"], ["NAME@sha256:12"]])
def test_release_refuses_an_image_without_a_digest_of_the_registry(
    release: Release, tmp_path: Path, digests: list[str]
) -> None:
    assert "must have one digest" in refusal(release(digests), EngineError)
    assert not (tmp_path / "out").exists()


def test_release_takes_the_digest_that_was_pushed_when_an_earlier_registry_left_one(release: Release) -> None:
    earlier = f"NAME@sha256:{'34' * 32}"
    assert "must have one digest" in refusal(release([earlier, f"NAME@{DIGEST}"]), EngineError)
    result = release([earlier, f"NAME@{DIGEST}"], said=f"7: digest: {DIGEST} size: 528")
    assert f"registry.example/team/vision-python@{DIGEST}" in result.output.splitlines()


@pytest.mark.parametrize("fails", ["tag", "push"])
def test_release_tells_what_the_engine_says_in_one_line(release: Release, fails: str) -> None:
    told = refusal(release([f"NAME@{DIGEST}"], fails=fails), EngineError)
    assert "got: denied: log in first" in told
    assert "\n" not in told


@pytest.mark.parametrize("code", ["", "0" * 64])
def test_release_pushes_no_image_of_other_code(release: Release, tmp_path: Path, code: str) -> None:
    assert "built from other code" in refusal(release([f"NAME@{DIGEST}"], code=code), EngineError)
    assert "push" not in (tmp_path / "log").read_text()


def test_release_refuses_a_prefix_without_a_registry(release: Release) -> None:
    assert "--prefix must name a registry" in refusal(release([], prefix="glassline"), SettingsError)


def test_release_refuses_an_engine_that_is_missing() -> None:
    words = ["--prefix", "registry.example/team", "--tag", "7", "--engine", "no-such-engine"]
    assert "--engine" in refusal(CliRunner().invoke(app, ["release", *words]), EngineError)


def test_release_refuses_a_pipeline_in_which_a_step_has_a_tag() -> None:
    with pytest.raises(EngineError, match="must name its image by digest"):
        check_digests(COMPILED)
