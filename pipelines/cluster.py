"""How a step is placed on a cluster: resources, nodes, secrets, shared memory, retries, cache.

The local runner heeds the cache alone.
"""

from kfp import dsl, kubernetes

from pipelines.cluster_settings import SECRETS, StepClass, cluster_settings

_SETTINGS = cluster_settings()

#: At most so many parts of a `ParallelFor` run at a time; kfp 2.17 knows such a limit of loops only.
PARALLELISM = _SETTINGS.parallelism

#: Which steps are of which class of `ClusterSettings`.
CLASSES = {
    "light": (
        "split_samples", "augment_samples", "evaluate_classifier", "compare_models", "judge_glasses", "select_sources",
        "evaluate_transfer", "apply_reviews", "queue_review", "write_report", "write_results", "write_cycle_report",
        "close_run",
    ),
    "vision": (
        "ingest_captures", "verify_captures", "propose_labels", "merge_labels", "import_labels", "import_images",
        "import_source", "extract_candidates", "cut_patches", "analyse_inputs", "label_severity", "find_root_cause",
        "export_model", "export_unet", "export_detector", "export_transfer", "compare_champion", "promote_model",
        "check_cycle",
    ),
    "network": (
        "explain_cam", "embed_tsne", "segment_captures", "evaluate_segmentation", "detect_defects",
        "evaluate_detection", "localise_defects",
    ),
    "training": (
        "cross_validate", "hold_out", "train_ensemble", "train_triplet", "train_unet", "train_regression",
        "train_defect_types", "train_transfer", "measure_affinity", "choose_sources", "train_candidate",
        "run_benchmark",
    ),
}  # fmt: skip

#: Never tried again: these register a version of what they made, so a try after theirs would leave a second one; and
#: the exit handler, which closes the run once. `promote_model` registers what another step made, once however often.
ONCE = ("export_unet", "export_detector", "export_transfer", "close_run")

#: Never from the cache, which leaves nothing in the MLflow run or the registry: what registers, exports, compares or
#: reports for this very run, alarms and its end. Whatever reads a file of theirs is here too, since a new file is
#: another one to the cache. Captures that are there already are not sent again, and those removed since are. Whatever
#: starts from the champion is made for the champion of this moment; the store knows what was trained before. So does it
#: what was measured, which where it is a time belongs to a machine.
ALWAYS = (
    "ingest_captures", "evaluate_classifier", "compare_models", "evaluate_detection", "evaluate_transfer",
    "export_model", "export_unet", "export_detector", "export_transfer", "check_cycle", "choose_sources",
    "train_candidate", "explain_cam", "compare_champion", "promote_model", "queue_review", "write_report",
    "write_cycle_report", "find_root_cause", "run_benchmark", "write_results", "close_run",
)  # fmt: skip

_CLASS_OF = {step: name for name, steps in CLASSES.items() for step in steps}


def placed(task: dsl.PipelineTask) -> dsl.PipelineTask:
    """Set what the step needs of a cluster, by its class, and return the step."""
    step = task.component_spec.name.replace("-", "_")
    of_class: StepClass = getattr(_SETTINGS, _CLASS_OF[step])
    _with_resources(task, of_class)
    _on_nodes(task, of_class)
    _with_secrets(task)
    for claim, path in _SETTINGS.claims.items():
        kubernetes.mount_pvc(task, claim, path)
    if step in ALWAYS:
        task.set_caching_options(False)
    if step not in ONCE and _SETTINGS.retry.times:
        retry = _SETTINGS.retry
        task.set_retry(retry.times, f"{retry.wait_s}s", retry.factor, f"{retry.within_s}s")
    return task


def whole_run() -> dsl.PipelineConfig | None:
    """Return what a cluster is told of a pipeline as a whole: deadline, and how long its pods are kept."""
    if not (_SETTINGS.deadline_s or _SETTINGS.keep_s):
        return None
    return dsl.PipelineConfig(
        active_deadline_seconds=_SETTINGS.deadline_s or None, ttl_seconds_after_finished=_SETTINGS.keep_s or None
    )


def _with_resources(task: dsl.PipelineTask, given: StepClass) -> None:
    task.set_cpu_request(given.cpu).set_cpu_limit(given.cpu_limit)
    task.set_memory_request(given.memory).set_memory_limit(given.memory_limit)
    if given.accelerators:
        task.set_accelerator_type(given.accelerator).set_accelerator_limit(given.accelerators)
    if given.shared_memory:
        kubernetes.empty_dir_mount(task, "shm", "/dev/shm", medium="Memory", size_limit=given.shared_memory)  # noqa: S108


def _on_nodes(task: dsl.PipelineTask, given: StepClass) -> None:
    for label, value in given.node_selector.items():
        kubernetes.add_node_selector(task, label, value)
    for taint in given.tolerations:
        told = {name: value for name, value in taint.model_dump().items() if value}
        kubernetes.add_toleration(task, **told)


def _with_secrets(task: dsl.PipelineTask) -> None:
    """Let the step see the secrets' variables; without a secret it sees the environment of its service account."""
    for name, variables in SECRETS.items():
        kubernetes.use_secret_as_env(task, name, {variable: variable for variable in variables}, optional=True)
