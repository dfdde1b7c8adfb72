"""A training step on several nodes: a TrainJob of Kubeflow Trainer v2, which starts torchrun on each of them.

Source: kubeflow/trainer, pkg/apis/trainer/v1alpha1/trainjob_types.go, and its plugin `torch`, which tells torchrun
nodes, processes, rank and address by PET_* variables.
"""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
import yaml

from components.images import IMAGES
from glassline.errors import SettingsError
from glassline_cli.step import checked_arguments, find_step
from pipelines.cluster_settings import SECRETS, ClusterSettings, StepClass, cluster_settings

#: The steps that torchrun can start: each trains one network over all processes.
STEPS = ("train_ensemble", "train_triplet", "train_unet", "train_regression", "train_defect_types", "train_transfer")

#: Runtime that Kubeflow Trainer installs, and what it calls the job and the container of a node.
_RUNTIME, _NODE = "torch-distributed", "node"
#: Kubernetes asks each patch of a runtime who made it.
_MANAGER = "glassline/submit"


def write_train_job(
    step: str, pairs: list[str], nodes: int, processes: int | None, name: str, out: Path | None
) -> None:
    """Check the step and its arguments, and write its TrainJob to a file, or to the screen.

    Raises:
        SettingsError: The step trains nothing, an argument of it is missing or of another type, or the name is none.
    """
    from glassline.data.storage import written_whole

    if step not in STEPS:
        raise SettingsError(f"--nodes takes a training step, one of {', '.join(STEPS)}, got {step!r}; choose one")
    checked_arguments(step, find_step(step), pairs)
    job = name or f"{step.replace('_', '-')}-{time.strftime('%Y%m%d-%H%M%S')}"
    manifest = train_job(job, step, pairs, nodes, processes, IMAGES.training, cluster_settings())
    text = yaml.safe_dump(manifest, sort_keys=False)
    if out is None:
        typer.echo(text, nl=False)
        return
    with written_whole(out) as beside:
        beside.write_text(text)
    typer.echo(out)


def train_job(
    name: str, step: str, pairs: Sequence[str], nodes: int, processes: int | None, image: str, cluster: ClusterSettings
) -> dict[str, Any]:
    """Return the manifest of a step's TrainJob.

    Args:
        name: Name of the job: lower-case letters, digits and `-`.
        step: One of `STEPS`.
        pairs: Its arguments, `key=value`.
        nodes: Nodes, from 1.
        processes: Processes of each; None is one a GPU, or one.
        image: The training image.
        cluster: What the cluster gives to training steps.

    Raises:
        SettingsError: The name is none that Kubernetes takes.
    """
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name):
        raise SettingsError(f"--name must be lower-case letters, digits and -, at most 63, got {name!r}; rename it")
    given = cluster.training
    sets = [word for pair in pairs for word in ("--set", pair)]
    return {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "TrainJob",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "glassline", "glassline/step": step}},
        "spec": {
            "runtimeRef": {"apiGroup": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime", "name": _RUNTIME},
            "trainer": {
                "image": image,
                "command": ["torchrun", "-m", "glassline_cli", "step", step, *sets],
                "env": _environment(),
                "numNodes": nodes,
                # Left out, the runtime starts a process for each core of a node without GPU.
                "numProcPerNode": processes or max(given.accelerators, 1),
                "resourcesPerNode": _resources(given),
            },
            **_patches(given, cluster.claims),
        },
    }


def _environment() -> list[dict[str, Any]]:
    return [
        {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": name, "optional": True}}}
        for secret, names in SECRETS.items()
        for name in names
    ]


def _resources(given: StepClass) -> dict[str, Any]:
    # Kubernetes takes a GPU as a limit alone, and asks for as many.
    gpus = {given.accelerator: str(given.accelerators)} if given.accelerators else {}
    return {
        "requests": {"cpu": given.cpu, "memory": given.memory},
        "limits": {"cpu": given.cpu_limit, "memory": given.memory_limit, **gpus},
    }


def _patches(given: StepClass, claims: dict[str, str]) -> dict[str, Any]:
    """Return what the runtime's pods get besides: shared memory, claims, nodes; nothing where nothing is set."""
    volumes: list[dict[str, Any]] = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims]
    mounts = [{"name": claim, "mountPath": path} for claim, path in claims.items()]
    if given.shared_memory:
        volumes.append({"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": given.shared_memory}})
        mounts.append({"name": "shm", "mountPath": "/dev/shm"})  # noqa: S108 - a mount, not a file
    taints = [{name: value for name, value in one.model_dump().items() if value} for one in given.tolerations]
    told = {
        "nodeSelector": dict(given.node_selector),
        "tolerations": taints,
        "volumes": volumes,
        "containers": [{"name": _NODE, "volumeMounts": mounts}] if mounts else [],
    }
    pod = {name: value for name, value in told.items() if value}
    if not pod:
        return {}
    job = {"name": _NODE, "template": {"spec": {"template": {"spec": pod}}}}
    return {
        "runtimePatches": [
            {"manager": _MANAGER, "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [job]}}}}
        ]
    }
