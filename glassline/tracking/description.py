"""What a pipeline's run tells a reviewer who opens it: verdict, figures, reasons, and where to look on."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from glassline.errors import DataError
from glassline.tracking.reading import children, run_files
from glassline.tracking.server import answers, client

if TYPE_CHECKING:
    from mlflow.entities import Run

#: Tag of the verdict; a run that compares nothing has none.
VERDICT = "verdict"

_NOTE = "mlflow.note.content"

# What a description names of the metrics, in this order.
_SHOWN = ("accuracy", "macro_f1", "fn_rate", "fp_rate", "latency_ms")

# Pages at the top of a run's artifacts, and what they are.
_PAGES = {
    "report.html": "Report",
    "review.html": "To review",
    "transfer.html": "Transfer",
    "detection.html": "Severity",
}


def describe_run(run_id: str, status: str) -> None:
    """Write the verdict and the description of a pipeline's run, and name it after product and cycle.

    Args:
        run_id: The run.
        status: FINISHED, FAILED or KILLED.
    """
    steps = children(run_id)
    with answers():
        run = client().get_run(run_id)
        tags = dict(run.data.tags)
        verdict = _verdict(tags, status)
        if verdict:
            client().set_tag(run_id, VERDICT, verdict)
        name = run_name(tags.get("pipeline", ""), tags)
        if run.info.run_name == tags.get("pipeline"):
            client().update_run(run_id, name=name)
        reasons = [step["reasons"] for step in steps if step["reasons"]]
        client().set_tag(run_id, _NOTE, _text(run, verdict, reasons, steps, run_files(run_id)))


def run_name(pipeline: str, tags: Mapping[str, str]) -> str:
    """Return the name of a pipeline's run: product, cycle and pipeline, as far as they are known."""
    return " ".join(filter(None, (tags.get("product", ""), tags.get("cycle", ""), pipeline)))


def _verdict(tags: Mapping[str, str], status: str) -> str:
    """Return the verdict: as told by a step, else `refused` where the data ended the run, `failed` where aught else."""
    told = tags.get(VERDICT) or tags.get("decision", "")
    if told or status != "FAILED":
        return told
    return "refused" if tags.get("glassline.error", "").startswith(DataError.__name__) else "failed"


def _text(run: "Run", verdict: str, reasons: list[str], steps: list[dict[str, object]], files: list[str]) -> str:
    tags, metrics = run.data.tags, run.data.metrics
    about = [tags.get(name, "") for name in ("product", "cycle", "pipeline", "method")]
    lines = [f"**{verdict or 'finished'}** · {' · '.join(filter(None, about))}", ""]
    where = f"#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}/artifacts"
    links = [f"[{_PAGES[name]}]({where}/{name}?workflowType=machine_learning)" for name in _PAGES if name in files]
    if links:  # first: MLflow shows the beginning of a description
        lines += [" · ".join(links), ""]
    figures = [f"{name} {metrics[name]:.4g}" for name in _SHOWN if name in metrics]
    if figures:
        lines += [" · ".join(figures), ""]
    if tags.get("glassline.error"):
        lines += [f"Error: {tags['glassline.error']}", ""]
    lines += [f"- {line}" for told in reasons for line in told.splitlines()]
    notes = sum(len(str(step["notes"]).splitlines()) for step in steps)
    if notes:
        lines += ["", f"{notes} warning{'s' if notes > 1 else ''}, see the report or `glassline.notes` of the steps"]
    return "\n".join(lines).strip()[:5000]
