"""Close the pipeline's run, whatever happened."""

from glassline.tracking import close_pipeline_run


def close_run(state: str, reason: str) -> None:
    """Close the pipeline's MLflow run.

    Args:
        state: State of the pipeline as Kubeflow names it: SUCCEEDED, FAILED, CANCELLED.
        reason: What went wrong, "" when nothing did.
    """
    status = {"SUCCEEDED": "FINISHED", "SUCCESS": "FINISHED", "CANCELLED": "KILLED"}.get(state, "FAILED")
    close_pipeline_run(status, reason)
