"""`glassline submit STEP --nodes N`: the TrainJob, by the models of Kubeflow Trainer's own API."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from kubeflow_trainer_api.models import TrainerV1alpha1TrainJob

import glassline.steps
from components.images import IMAGES
from glassline.errors import SettingsError
from glassline_cli.app import app
from glassline_cli.train_job import STEPS, train_job
from pipelines.cluster_settings import ClusterSettings
from tests.cli.invoke import invoke

PAIRS = ["samples_path=/data/i", "segmentation={epochs: 3}", "seed=0", "store=s3://glass/store", "model_path=/data/m"]
SETS = [word for pair in PAIRS for word in ("--set", pair)]
BARE = ClusterSettings.parse({"training": {"shared_memory": None}})
GPUS = ClusterSettings.parse(
    {
        "training": {
            "accelerators": 4, "node_selector": {"pool": "gpu"}, "tolerations": [{"key": "gpu", "operator": "Exists"}],
        },
        "claims": {"glass-data": "/data"},
    }
)  # fmt: skip


def job(cluster: ClusterSettings = GPUS, processes: int | None = None) -> dict[str, Any]:
    return train_job("unet-7", "train_unet", PAIRS, 2, processes, "registry.example/training@sha256:12", cluster)


@pytest.mark.parametrize("cluster", [GPUS, ClusterSettings(), BARE])
def test_train_job_is_one_of_the_api(cluster: ClusterSettings) -> None:
    told = job(cluster)
    assert TrainerV1alpha1TrainJob.from_dict(told).to_dict() == told  # what the API does not know is lost


def test_train_job_starts_torchrun_on_every_node() -> None:
    trainer = job(processes=3)["spec"]["trainer"]
    assert (trainer["numNodes"], trainer["numProcPerNode"]) == (2, 3)
    assert trainer["command"][:5] == ["torchrun", "-m", "glassline_cli", "step", "train_unet"]
    assert trainer["command"][5:] == SETS
    assert trainer["image"] == "registry.example/training@sha256:12"


def test_train_job_runs_a_process_for_each_gpu_and_one_without() -> None:
    assert job(GPUS)["spec"]["trainer"]["numProcPerNode"] == 4
    assert job(ClusterSettings())["spec"]["trainer"]["numProcPerNode"] == 1


def test_train_job_asks_for_what_the_cluster_settings_say() -> None:
    resources = job()["spec"]["trainer"]["resourcesPerNode"]
    assert resources["requests"] == {"cpu": "4", "memory": "8Gi"}
    assert resources["limits"] == {"cpu": "8", "memory": "24Gi", "nvidia.com/gpu": "4"}


def test_train_job_patches_nodes_claims_and_shared_memory_into_the_runtime() -> None:
    (patch,) = job()["spec"]["runtimePatches"]
    (node,) = patch["trainingRuntimeSpec"]["template"]["spec"]["replicatedJobs"]
    pod = node["template"]["spec"]["template"]["spec"]
    assert (pod["nodeSelector"], pod["tolerations"][0]["key"]) == ({"pool": "gpu"}, "gpu")
    assert {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]} == {"/data", "/dev/shm"}


def test_train_job_names_secrets_and_holds_none() -> None:
    environment = job()["spec"]["trainer"]["env"]
    assert {one["name"] for one in environment} >= {"AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_URI"}
    assert all(
        set(one) == {"name", "valueFrom"} and one["valueFrom"]["secretKeyRef"]["optional"] for one in environment
    )


def test_train_job_names_steps_that_there_are() -> None:
    # A candidate of a cycle is cross-validated too, fold by fold, on one machine.
    found = {path.stem for path in Path(glassline.steps.__path__[0]).glob("train_*.py")} - {"train_candidate"}
    assert found == set(STEPS)


def submit(*words: object) -> Any:
    return invoke(app, "submit", *words)


def test_submit_writes_a_train_job_to_the_screen() -> None:
    result = submit("train_unet", "--nodes", 2, *SETS)
    assert result.exit_code == 0, result.exception
    told = yaml.safe_load(result.output)
    assert (told["kind"], told["spec"]["trainer"]["image"]) == ("TrainJob", IMAGES.training)
    assert told["metadata"]["name"].startswith("train-unet-")


def test_submit_writes_a_train_job_to_a_file(tmp_path: Path) -> None:
    submit("train_unet", "--nodes", 3, "--name", "cycle-7", "--out", tmp_path / "job.yaml", *SETS)
    told = yaml.safe_load((tmp_path / "job.yaml").read_text())
    assert (told["metadata"]["name"], told["spec"]["trainer"]["numNodes"]) == ("cycle-7", 3)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["retrain", "--nodes", 2], "--nodes takes a training step"),
        (["train_unet", "--nodes", 2], "missing"),
        (["train_unet", "--nodes", 2, "--set", "colour=red"], "takes an argument of train_unet"),
        (["train_unet", "--nodes", 2, "--host", "https://kfp.example"], "--host must not be given with --nodes"),
        (["train_unet", "--host", "https://kfp.example"], "--data"),
        (["train_unet", "--nodes", 2, "--name", "Cycle 7", *SETS], "--name must be"),
    ],
)
def test_submit_refuses_a_train_job_that_could_not_run(words: list[object], told: str) -> None:
    result = submit(*words)
    assert isinstance(result.exception, SettingsError)
    assert told in str(result.exception)
