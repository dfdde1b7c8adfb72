"""One experiment per product, set up so that a reviewer finds runs: what columns mean, filters, columns shown."""

import json

from glassline.tracking.server import answers, client

#: Experiment of what names no product: single steps, and pipelines such as `capture`.
EXPERIMENT = "glassline"

#: Name of the view in which the list of runs shows the columns below.
VIEW = "glassline"

#: Tags and metrics that the list of runs shows in that view.
TAG_COLUMNS = ("product", "cycle", "pipeline", "method", "verdict", "data_hash")
METRIC_COLUMNS = ("accuracy", "macro_f1", "fn_rate", "fp_rate", "review")

# MLflow's own names: the text above the runs, whether the page is for models or for agents, and a shared view.
_NOTE, _KIND, _SHARED = "mlflow.note.content", "mlflow.experimentKind", "mlflow.sharedViewState."
_CUSTOM_MODELS = "custom_model_development"

_DESCRIPTION = """**{what}** Every row is a run of a pipeline; its steps, models and folds lie below it (the + before \
the name). Open a run for its verdict, its reasons and links to its report and to what is to be reviewed. \
[Show the columns below](#/experiments/{identity}/runs?workflowType=machine_learning&viewStateShareKey={view})

| tag | meaning |
|---|---|
| `product`, `cycle` | what was made when, such as `P2` and `2026b` |
| `pipeline` | `new_cycle`, `retrain`, `transfer`, `root_cause`, …; steps and folds have none |
| `method` | the model that was decided on, such as `ensemble_fusion` |
| `data_hash` | SHA-256 of the data: the same data has the same hash |
| `verdict` | `promoted`, `kept` (the champion stays), `refused` (the data), `failed` |

`accuracy`, `macro_f1`, `fn_rate` (defective judged clean) and `fp_rate` (clean judged defective) mean the same in \
every method. Filters to paste above the list:

- `tags.pipeline LIKE '%'` (runs of pipelines alone, without their steps)
- `tags.verdict = 'promoted' and tags.cycle = '2026b'`
- `tags.method = 'ensemble_fusion' and metrics.fn_rate < 0.02`
- `tags.data_hash LIKE '3f9c%'`
- `metrics.review > 0` (something is to be reviewed)
"""


def product_experiment(product: str) -> str:
    """Return the name of a product's experiment, `glassline` for none."""
    return f"{EXPERIMENT}-{product}" if product else EXPERIMENT


def experiment_id(name: str, artifacts: str | None = None) -> str:
    """Return the id of an experiment, which is created where it is missing, and set up for reviewers.

    Args:
        name: Its name.
        artifacts: Artifact URI of a new one, None for the server's own.

    Raises:
        TrackingError: The server does not answer.
    """
    from mlflow.exceptions import MlflowException

    with answers():
        found = client().get_experiment_by_name(name)
        if found is None:
            try:
                identity = str(client().create_experiment(name, artifact_location=artifacts))
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                found = client().get_experiment_by_name(name)  # another run was faster
        if found is not None:
            identity = str(found.experiment_id)
        there = found.tags if found is not None else {}
        for tag, value in _tags(name, identity).items():
            if tag not in there:  # what people wrote stays
                client().set_experiment_tag(identity, tag, value)
    return identity


def _tags(name: str, identity: str) -> dict[str, str]:
    product = name.removeprefix(f"{EXPERIMENT}-")
    what = "Steps and pipelines that belong to no product." if name == EXPERIMENT else f"Product {product}."
    return {
        _KIND: _CUSTOM_MODELS,
        _NOTE: _DESCRIPTION.format(what=what, identity=identity, view=VIEW),
        _SHARED + VIEW: json.dumps(_view()),
    }


def _view() -> dict[str, object]:
    """Return the state of MLflow's list of runs that its page keeps for sharing."""
    columns = [f"tags.`{name}`" for name in TAG_COLUMNS] + [f"metrics.`{name}`" for name in METRIC_COLUMNS]
    return {
        "searchFilter": "tags.pipeline LIKE '%'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "modelVersionFilter": "All Runs",
        "datasetsFilter": [],
        "selectedColumns": columns,
    }
