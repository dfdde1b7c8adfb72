"""The run of a study, in the experiment of its product: opened once, continued by every later try, a child a trial."""

from collections.abc import Mapping

from glassline.tracking import StepRun, children, client, create_pipeline_run, reopen_pipeline_run
from glassline.tracking.experiments import product_experiment

#: Tag of a trial's run: `complete`, `pruned` or `failed`.
STATE = "state"


def open_study_run(name: str, left: str | None, tags: Mapping[str, str], artifacts: str | None) -> StepRun:
    """Continue the run of a study that was left, else open a new one; what steps open is below it from here on.

    Trials that a killed try left open are closed, and tagged as failed.

    Args:
        name: Name of a new run, which is its tag `pipeline` too.
        left: Id of the run of an earlier try, None where there was none.
        tags: Tags of a new run; `product` names its experiment, none is `glassline`.
        artifacts: Artifact URI of a new experiment, None for the server's own.

    Raises:
        TrackingError: The server does not answer.
    """
    if left and reopen_pipeline_run(left):
        for child in children(left):
            if child["status"] == "RUNNING":
                StepRun(child["run_id"], child["name"]).tags({STATE: "failed"})
                client().set_terminated(child["run_id"], "KILLED")
        return StepRun(left, name)
    experiment = product_experiment(tags.get("product", ""))
    return StepRun(create_pipeline_run(experiment, name, {**tags, "pipeline": "tune"}, artifacts), name)
