"""The committed YAML is what the code compiles to, and images are overridable when it is compiled."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.catalogue import COMPILED, PIPELINES, compile_pipeline


@pytest.fixture(autouse=True)
def _sources_beside_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of sources where `transfer` looks for one."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sources.yaml").write_text("- {data: s3://old, data_hash: abc, product: P1}")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", PIPELINES)
def test_compiled_yaml_is_current(name: str, tmp_path: Path) -> None:
    fresh = compile_pipeline(name, tmp_path).read_text()
    assert (COMPILED / f"{name}.yaml").read_text() == fresh, "run `make compile` and commit the result"


@pytest.mark.parametrize("name", PIPELINES)
def test_compiled_yaml_takes_every_argument_that_its_presets_give(name: str) -> None:
    spec = next(yaml.safe_load_all((COMPILED / f"{name}.yaml").read_text()))
    declared = set(spec["root"]["inputDefinitions"]["parameters"])
    for preset in PIPELINES[name].presets.values():
        assert set(preset().arguments("data", "hash", "store")) == declared


def cached(task: dict[str, Any]) -> bool:
    return bool(task.get("cachingOptions", {}).get("enableCache"))


def readers(components: dict[str, Any], graph: str, artifact: tuple[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the steps that read an artifact of a graph, those of inner graphs too; ("", NAME) is one handed in."""
    for task in components[graph]["dag"]["tasks"].values():
        for name, source in task.get("inputs", {}).get("artifacts", {}).items():
            made = source.get("taskOutputArtifact", {})
            if artifact not in (
                (made.get("producerTask"), made.get("outputArtifactKey")),
                ("", source.get("componentInputArtifact")),
            ):
                continue
            inner = task["componentRef"]["name"]
            yield from readers(components, inner, ("", name)) if "dag" in components[inner] else [task]


def leaving(components: dict[str, Any], graph: str, step: str, artifact: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield where a graph, such as a loop, hands an artifact on to: the graph around it, the task, and the name."""
    for name, told in components[graph]["dag"].get("outputs", {}).get("artifacts", {}).items():
        made = {(one["producerSubtask"], one["outputArtifactKey"]) for one in told["artifactSelectors"]}
        if (step, artifact) not in made:
            continue
        for outer, body in components.items():
            for task, one in body.get("dag", {}).get("tasks", {}).items():
                if one["componentRef"]["name"] == graph:
                    yield outer, (task, name)
                    yield from leaving(components, outer, task, name)


@pytest.mark.parametrize("name", PIPELINES)
def test_steps_that_always_run_hand_no_file_whose_new_address_would_empty_the_cache_to_one_that_is_cached(
    name: str,
) -> None:
    spec = next(yaml.safe_load_all((COMPILED / f"{name}.yaml").read_text()))
    components = {**spec["components"], "root": spec["root"]}
    for graph in [one for one, body in components.items() if "dag" in body]:
        for own, task in components[graph]["dag"]["tasks"].items():
            made = components[task["componentRef"]["name"]]
            if "dag" in made or cached(task):
                continue
            for artifact in made.get("outputDefinitions", {}).get("artifacts", {}):
                handed = [(graph, (own, artifact)), *leaving(components, graph, own, artifact)]
                assert not [one for place in handed for one in readers(components, *place) if cached(one)]


@pytest.mark.parametrize("name", PIPELINES)
def test_steps_that_leave_something_in_each_run_are_never_taken_from_the_cache(name: str) -> None:
    spec = next(yaml.safe_load_all((COMPILED / f"{name}.yaml").read_text()))
    graphs = [one["dag"] for one in [spec["root"], *spec["components"].values()] if "dag" in one]
    steps = {task["taskInfo"]["name"]: cached(task) for graph in graphs for task in graph["tasks"].values()}
    always = ("close-run", "write-report", "promote-model", "export-", "evaluate-transfer", "find-root-cause")
    assert not [step for step, from_cache in steps.items() if step.startswith(always) and from_cache]
    assert "close-run" in steps


def test_compile_takes_images_from_the_environment(tmp_path: Path) -> None:
    overridden = {**os.environ, "GLASSLINE_IMAGE_PREFIX": "registry.example/team", "GLASSLINE_IMAGE_TAG": "7"}
    command = [sys.executable, "-m", "glassline_cli", "compile", "retrain", "--out", str(tmp_path)]
    subprocess.run(command, check=True, env=overridden, capture_output=True)
    text = (tmp_path / "retrain.yaml").read_text()
    assert "registry.example/team/training-python:7" in text
    assert "glassline/training-python" not in text


def test_settings_give_no_null_to_the_pipeline() -> None:
    def nulls(value: object) -> bool:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        return value is None or any(nulls(one) for one in inner)

    for entry in PIPELINES.values():
        for preset in entry.presets.values():
            assert not nulls(preset().arguments("data", "hash", "store"))


def test_settings_deal_every_fold_to_exactly_one_part() -> None:
    for preset in PIPELINES["retrain"].presets.values():
        arguments = preset().arguments("data", "hash", "store")
        dealt = [fold for part in arguments["fold_parts"] for fold in part]
        assert sorted(dealt) == list(range(arguments["folds"]))
