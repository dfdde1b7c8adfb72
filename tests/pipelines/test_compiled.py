"""The committed YAML is what the code compiles to, and images are overridable when it is compiled."""

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("name", PIPELINES)
def test_steps_that_always_run_hand_on_no_file_whose_new_address_would_empty_the_cache(name: str) -> None:
    components = next(yaml.safe_load_all((COMPILED / f"{name}.yaml").read_text()))["components"]
    tasks = [task for one in components.values() for task in one.get("dag", {}).get("tasks", {}).values()]
    always = [task["componentRef"]["name"] for task in tasks if not task.get("cachingOptions", {}).get("enableCache")]
    steps = [components[component] for component in always if "executorLabel" in components[component]]
    assert not any("artifacts" in step.get("outputDefinitions", {}) for step in steps)


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
