"""Compare what networks that learned from different sources tell right, and write the page of the transfer."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.report.page_facts import page_facts
from glassline.steps.localise_defects import METRICS
from glassline.steps.select_sources import REASONS
from glassline.steps.train_transfer import EVALUATION
from glassline.tracking import parent_artifact, parent_tags, pipeline_notes, step_run

#: The page, in the comparison's folder and on the pipeline's own run; the table of networks beside it.
PAGE, NETWORKS = "transfer.html", "networks.json"


def evaluate_transfer(
    samples_path: str, affinity_path: str, selection_path: str, evaluations: Sequence[str], located_path: str,
    comparison_path: str,
) -> None:  # fmt: skip
    """Write the comparison and its page.

    Args:
        samples_path: Table of the new product's images.
        affinity_path: Folder written by `measure_affinity`.
        selection_path: Folder written by `select_sources`.
        evaluations: Folders written by `train_transfer`, that of the chosen sources first.
        located_path: Folder written by `localise_defects`.
        comparison_path: Folder for `networks.json`, a figure and the page.
    """
    from glassline.report.figures import save_figure
    from glassline.report.transfer import arms_figure
    from glassline.report.transfer_page import write_transfer_page

    with step_run("evaluate_transfer", {"networks": len(evaluations)}) as run:
        images = read_samples(samples_path, "images")
        arms = pd.DataFrame([json.loads((Path(folder) / EVALUATION).read_text()) for folder in evaluations])
        reasons = pd.read_parquet(Path(selection_path) / REASONS)
        metrics = json.loads((Path(located_path) / METRICS).read_text())
        boxes = pd.DataFrame([{"method": name, **told} for name, told in metrics.items()])
        figure = arms_figure(arms)
        with written_whole(comparison_path) as beside:
            beside.mkdir(parents=True)
            save_figure(figure, beside / "arms.png")
            folders = (affinity_path, selection_path, located_path, str(beside))
            paths = [path for folder in folders for path in sorted(Path(folder).glob("*.png"))]
            figures = {path.name: path.read_bytes() for path in paths}
            arms.to_json(beside / NETWORKS, orient="records", indent=1)
            facts = page_facts(images, len(images.rows))
            write_transfer_page(facts, arms, reasons, boxes, figures, pipeline_notes(), beside / PAGE)
        run.figure(figure, "arms")
        run.table(arms.drop(columns="sources"), "networks")
        page, first = Path(comparison_path) / PAGE, arms.iloc[0]
        run.artifact(page)
        parent_artifact(page)
        told = {f"transfer_{name}": first[name] for name in ("tpr", "tnr", "average_precision")}
        told |= {
            name: 1 - first[share]
            for name, share in (("fn_rate", "tpr"), ("fp_rate", "tnr"))
            if first[share] is not None
        }
        told |= {f"transfer_boxes_{name}": boxes.iloc[0][name] for name in ("hit", "precision") if len(boxes)}
        parent_tags(
            {"sources": ", ".join(first["sources"]), "method": "transfer"},
            {k: float(v) for k, v in told.items() if v is not None and v == v},
        )
