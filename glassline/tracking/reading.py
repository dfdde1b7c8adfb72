"""What a run holds: its children, metrics and artifacts."""

from pathlib import Path
from typing import Any

from glassline.tracking.server import answers, client

#: Where the run of `export_model` keeps its bundle among its artifacts.
BUNDLE = "bundle/bundle.zip"

#: Tags that name a run's parent, and its step.
PARENT_TAG, STEP_TAG = "mlflow.parentRunId", "glassline.step"


def children(run_id: str) -> list[dict[str, Any]]:
    """List the direct children of a run, oldest first, with status, metrics, notes, reasons, start and end."""
    with answers():
        experiment = client().get_run(run_id).info.experiment_id
        found = client().search_runs(
            [experiment],
            f"tags.`{PARENT_TAG}` = '{run_id}'",
            max_results=5000,
            order_by=["attributes.start_time ASC"],
        )
    return [
        {
            "run_id": run.info.run_id,
            "name": run.info.run_name,
            "step": run.data.tags.get(STEP_TAG, ""),
            "status": run.info.status,
            "metrics": run.data.metrics,
            "notes": run.data.tags.get("glassline.notes", ""),
            "reasons": run.data.tags.get("glassline.reasons", ""),
            "start_seconds": run.info.start_time / 1000,
            "end_seconds": (run.info.end_time or run.info.start_time) / 1000,
        }
        for run in found
    ]


def run_metrics(run_id: str) -> dict[str, float]:
    """Return the metrics of a run."""
    with answers():
        return dict(client().get_run(run_id).data.metrics)


def run_files(run_id: str, folder: str = "") -> list[str]:
    """Return the files of a folder of a run's artifacts, by default those at the top; sorted paths from the top on."""
    with answers():
        return sorted(found.path for found in client().list_artifacts(run_id, folder or None) if not found.is_dir)


def fetch_artifact(run_id: str, name: str, folder: Path) -> Path:
    """Download an artifact of a run into a folder and return its path."""
    with answers():
        return Path(client().download_artifacts(run_id, name, str(folder)))
