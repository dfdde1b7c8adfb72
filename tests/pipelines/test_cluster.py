"""What the compiled pipelines ask of a cluster: by default, and by a file of settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import components
from glassline.errors import SettingsError
from pipelines.catalogue import COMPILED, PIPELINES
from pipelines.cluster import CLASSES, ONCE
from pipelines.cluster_settings import ClusterSettings

SETTINGS = """
training:
  accelerators: 2
  shared_memory: 8Gi
  node_selector: {pool: gpu}
  tolerations: [{key: nvidia.com/gpu, operator: Exists}]
network: {accelerators: 1, accelerator: amd.com/gpu}
retry: {times: 4, wait_s: 5, factor: 3, within_s: 99}
parallelism: 3
claims: {glass-data: /data}
deadline_s: 7200
"""
STEPS = {step for steps in CLASSES.values() for step in steps}


class Step(NamedTuple):
    """A step of a compiled pipeline: its container, what Kubernetes is told, and the task that runs it."""

    name: str
    container: dict[str, Any]
    kubernetes: dict[str, Any]
    task: dict[str, Any]


def steps_of(path: Path) -> list[Step]:
    spec, platform = yaml.safe_load_all(path.read_text())
    deployment = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    graphs = [spec["root"], *spec["components"].values()]
    tasks = {
        task["componentRef"]["name"]: task
        for graph in graphs
        for task in graph.get("dag", {}).get("tasks", {}).values()
    }
    found = []
    for label, executor in spec["deploymentSpec"]["executors"].items():
        (component,) = [name for name, one in spec["components"].items() if one.get("executorLabel") == label]
        name = executor["container"]["args"][-1].replace("-", "_")
        found.append(Step(name, executor["container"], deployment.get(label, {}), tasks[component]))
    return found


@pytest.fixture(scope="module", params=PIPELINES)
def steps(request: pytest.FixtureRequest) -> list[Step]:
    """The steps of a committed pipeline."""
    return steps_of(COMPILED / f"{request.param}.yaml")


@pytest.fixture(scope="module")
def changed(glassline: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all pipelines compiled with `SETTINGS`."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "cluster.yaml").write_text(SETTINGS)
    done = glassline("compile", "--all", "--cluster", folder / "cluster.yaml", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_component_is_of_exactly_one_class() -> None:
    names = sorted(path.parent.name for path in Path(components.__path__[0]).glob("*/component.py"))
    assert sorted(step for steps in CLASSES.values() for step in steps) == names


def test_every_step_states_requests_and_limits(steps: list[Step]) -> None:
    wanted = {"resourceCpuRequest", "resourceCpuLimit", "resourceMemoryRequest", "resourceMemoryLimit"}
    assert all(wanted <= set(step.container["resources"]) for step in steps)


def test_every_step_sees_the_tracking_server_and_the_object_store(steps: list[Step]) -> None:
    for step in steps:
        names = {secret["secretName"] for secret in step.kubernetes["secretAsEnv"]}
        assert names == {"glassline-mlflow", "glassline-s3"}


def test_every_step_sees_the_token_of_keys_that_expire(steps: list[Step]) -> None:
    for step in steps:
        (keys,) = [one["keyToEnv"] for one in step.kubernetes["secretAsEnv"] if one["secretName"] == "glassline-s3"]
        assert {"envVar": "AWS_SESSION_TOKEN", "secretKey": "AWS_SESSION_TOKEN"} in keys


def test_no_step_has_a_value_where_a_secret_belongs(steps: list[Step]) -> None:
    secret = ("AWS_", "MLFLOW_")
    for step in steps:
        assert not [one for one in step.container.get("env", []) if one["name"].startswith(secret)]
        assert all(
            set(one) == {"envVar", "secretKey"} for told in step.kubernetes["secretAsEnv"] for one in told["keyToEnv"]
        )


def test_training_steps_alone_have_shared_memory(steps: list[Step]) -> None:
    for step in steps:
        mounts = [(one["mountPath"], one["medium"]) for one in step.kubernetes.get("emptyDirMounts", [])]
        assert mounts == ([("/dev/shm", "Memory")] if step.name in CLASSES["training"] else [])


def test_no_step_asks_for_a_gpu_unless_the_settings_do(steps: list[Step]) -> None:
    assert not any("accelerator" in step.container["resources"] for step in steps)


def test_steps_that_register_or_close_are_never_tried_again(steps: list[Step]) -> None:
    tried_again = {step.name for step in steps if step.task.get("retryPolicy", {}).get("maxRetryCount")}
    assert tried_again == {step.name for step in steps} - set(ONCE)


def test_steps_are_tried_again_after_days_of_work(steps: list[Step]) -> None:
    for step in steps:
        policy = step.task.get("retryPolicy", {})
        assert not policy.get("maxRetryCount") or policy["backoffMaxDuration"] == "604800s"


def test_steps_that_call_the_registry_are_those_that_are_never_tried_again() -> None:
    import glassline.steps

    texts = {path.stem: path.read_text() for path in Path(glassline.steps.__path__[0]).glob("*.py")}
    calling = {name for name, text in texts.items() if "register_model(" in text or "make_champion(" in text}
    assert calling == {*ONCE, "promote_model"} - {"close_run"}  # that one registers once, however often it is tried


@pytest.mark.parametrize("name", PIPELINES)
def test_settings_reach_the_steps_of_their_class(changed: Path, name: str) -> None:
    for step in steps_of(changed / f"{name}.yaml"):
        accelerator = step.container["resources"].get("accelerator", {})
        wanted = {"training": ("nvidia.com/gpu", "2"), "network": ("amd.com/gpu", "1")}
        (of_class,) = [one for one, members in CLASSES.items() if step.name in members]
        assert (accelerator.get("resourceType"), accelerator.get("resourceCount")) == wanted.get(of_class, (None, None))
        on_gpu = of_class == "training"
        assert ("nodeSelector" in step.kubernetes, "tolerations" in step.kubernetes) == (on_gpu, on_gpu)
        assert step.kubernetes["pvcMount"][0]["mountPath"] == "/data"


def test_settings_choose_nodes_shared_memory_and_retries(changed: Path) -> None:
    (step,) = [one for one in steps_of(changed / "retrain.yaml") if one.name == "train_ensemble"]
    assert step.kubernetes["nodeSelector"]["labels"] == {"pool": "gpu"}
    taint = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert step.kubernetes["tolerations"] == [taint]
    assert step.kubernetes["emptyDirMounts"][0]["sizeLimit"] == "8Gi"
    assert step.task["retryPolicy"] == {
        "maxRetryCount": 4, "backoffDuration": "5s", "backoffFactor": 3.0, "backoffMaxDuration": "99s",
    }  # fmt: skip


def test_settings_limit_the_parts_of_every_loop(changed: Path) -> None:
    for name, loops in {"retrain": 3, "end_to_end": 3, "transfer": 1}.items():
        text = (changed / f"{name}.yaml").read_text()
        assert text.count("parallelismLimit: 3") == text.count("iteratorPolicy") == loops


def test_settings_end_a_run_at_the_deadline(changed: Path) -> None:
    _, platform = yaml.safe_load_all((changed / "capture.yaml").read_text())
    assert platform["platforms"]["kubernetes"]["pipelineConfig"] == {"activeDeadlineSeconds": 7200}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("training: {memory: lots}", "training.memory: memory must be a whole number with a unit"),
        ("training: {cpu: -1}", "training.cpu: CPU must be a number of cores"),
        ("training: {cpu: 9}", "cpu must be <= cpu_limit"),
        ("light: {memory: 5Gi}", "memory must be <= memory_limit"),
        ("training: {shared_memory: 24Gi}", "shared_memory must be < memory_limit"),
        ("trainig: {cpu: 2}", "trainig"),
        ("training: {gpus: 2}", "training.gpus"),
        ("claims: {glass-data: data}", "claims must name a path"),
        ("training: [", "must be YAML"),
        ("training", "must hold settings by name"),
        ("", ""),
    ],
)
def test_cluster_file_is_refused_in_one_line_when_it_breaks_a_rule(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    if not text:
        assert ClusterSettings.read(path) == ClusterSettings()
        return
    with pytest.raises(SettingsError) as raised:
        ClusterSettings.read(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_cluster_file_keeps_the_defaults_of_what_it_leaves_out(tmp_path: Path) -> None:
    (tmp_path / "cluster.yaml").write_text("training: {accelerators: 1}")
    training = ClusterSettings.read(tmp_path / "cluster.yaml").training
    assert training == ClusterSettings().training.model_copy(update={"accelerators": 1})


@pytest.mark.parametrize("by_option", [True, False])
def test_compile_for_a_cluster_leaves_the_committed_yaml(
    glassline: Callable[..., Any], tmp_path: Path, by_option: bool
) -> None:
    (tmp_path / "cluster.yaml").write_text("parallelism: 10")  # the default: what is committed stays as it is
    file = str(tmp_path / "cluster.yaml")
    words, variables = (["--cluster", file], {}) if by_option else ([], {"GLASSLINE_CLUSTER": file})
    done = glassline("compile", "retrain", *words, **variables)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--out must be given with --cluster" in done.stderr


def test_cluster_file_is_told_when_it_is_missing(glassline: Callable[..., Any], tmp_path: Path) -> None:
    done = glassline("compile", "retrain", "--out", tmp_path, GLASSLINE_CLUSTER=str(tmp_path / "none.yaml"))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
