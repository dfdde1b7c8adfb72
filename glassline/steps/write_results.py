"""Put what was measured side by side with what is published, as a page."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glassline.bench.page import compared, results_page
from glassline.bench.run import result_of
from glassline.data.storage import written_whole
from glassline.tracking import parent_artifact, parent_tags, step_run

#: Files of the folder: the page, and every result in one file.
PAGE, RESULTS = "results.md", "results.json"


def write_results(result_paths: Sequence[str], results_path: str) -> None:
    """Write the page of a run's results; the pipeline's own run keeps it too.

    Args:
        result_paths: Folders written by `run_benchmark`.
        results_path: Folder for `results.md` and `results.json`.
    """
    with step_run("write_results", {"results": len(result_paths)}) as run:
        records = sorted(map(result_of, result_paths), key=lambda record: (record.system, record.name))
        with written_whole(results_path) as beside:
            beside.mkdir(parents=True)
            (beside / PAGE).write_text(results_page(records))
            (beside / RESULTS).write_text(json.dumps([one.model_dump(exclude_defaults=True) for one in records]))
        rows = pd.DataFrame([row for record in records for row in compared(record)])
        run.table(rows.astype({"published": "string"}).fillna(""), "results")
        told = {"entries": len(records), "figures": len(rows)}
        run.metrics(told)
        parent_tags({}, told)
        for name in (PAGE, RESULTS):
            run.artifact(Path(results_path) / name)
            parent_artifact(Path(results_path) / name)
