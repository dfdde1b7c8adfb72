"""List what a person should look at: reasons, thumbnails, a page, and tasks for labelling software."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.review_labels import doubtful_annotations
from glassline.analysis.review_reasons import (
    REASONS,
    ReviewSettings,
    close_calls,
    contested_by_models,
    duels,
    looked_elsewhere,
    partly_covered,
    ranked,
    split_votes,
)
from glassline.data.reviews.candidates import SAMPLE_COLUMNS, samples_to_review
from glassline.data.reviews.tasks import write_tasks
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import is_real
from glassline.data.storage import written_whole
from glassline.report.review_queue import PAGE, QUEUE, SHEET, queue_sheet, write_queue_page
from glassline.steps.evaluate_classifier import PREDICTIONS
from glassline.steps.explain_cam import ELSEWHERE
from glassline.tracking import StepRun, parent_artifact, parent_tags, pipeline_run_id, step_run
from glassline.training.failed_fit import failure_of

#: Folder of the queue among the artifacts of the pipeline's own run.
REVIEW = "review"

_PICTURE_PX = 336  # three times a patch: marks are small
_THUMBNAIL_PX, _IN_TABLE = 112, 50  # MLflow keeps two files for each picture of a table


def queue_review(
    augmented_path: str, samples_path: str, prediction_paths: Sequence[str], compared_paths: Sequence[str],
    explanation_paths: Sequence[str], promotion_path: str, review: Mapping[str, Any], queue_path: str,
) -> None:  # fmt: skip
    """Write the review queue and log it.

    Samples that a person has decided on do not come back.

    Args:
        augmented_path: Table of patches with folds and copies.
        samples_path: Table of images.
        prediction_paths: Folders with `predictions.parquet`, as `cross_validate` writes them.
        compared_paths: Folders written by `compare_champion`; none where there was no comparison.
        explanation_paths: Folders written by `explain_cam`; none where nothing was explained.
        promotion_path: JSON written by `promote_model`; the predictions shown are those of its candidate.
        review: Fields of `ReviewSettings`.
        queue_path: Folder for `queue.parquet`, `review.html`, pictures and tasks.
    """
    with step_run("queue_review", {"review": dict(review)}) as run:
        settings = ReviewSettings.parse(review)
        patches, images = read_samples(augmented_path, "patches"), read_samples(samples_path, "images")
        told = [Path(path) / PREDICTIONS for path in prediction_paths if not failure_of(path)]
        votes = pd.concat(map(pd.read_parquet, told), ignore_index=True)
        judged = votes[votes["model"] == _shown_model(votes, promotion_path)]
        rows = _open_rows(patches)
        elsewhere = _elsewhere(explanation_paths)
        doubts = [
            doubtful_annotations(rows, images),
            partly_covered(rows[rows["unit"] != rows["image"]], settings.partly),
            contested_by_models(votes, settings.sure),
            split_votes(votes),
            *(duels(pd.read_parquet(Path(path) / "compared.parquet")) for path in compared_paths),
            close_calls(judged, settings.margin),
            looked_elsewhere(elsewhere, rows.set_index("id")["unit"]),
        ]
        known = set(rows["unit"])
        queue = ranked([found[found["unit"].isin(known)] for found in doubts], settings.most)
        queue = _with_samples(queue, rows, set(elsewhere["id"]), patches, images, judged)
        _write(run, queue, patches.classes, images, queue_path)


def _shown_model(votes: pd.DataFrame, promotion_path: str) -> str:
    """Return the model whose predictions are shown: the candidate that was decided on, else the first."""
    promotion = json.loads(Path(promotion_path).read_text())
    named = promotion.get("candidate", "")
    name = str(named.get("name", "") if isinstance(named, dict) else named)
    models = [str(model) for model in votes["model"].unique()]
    return next((model for model in models if model == name), models[0])


def _open_rows(patches: SampleTable) -> pd.DataFrame:
    """Return the patches that are no copies and that nobody has decided on."""
    rows = patches.rows[is_real(patches)]
    return rows[rows["review"].fillna("") == ""] if "review" in rows.columns else rows


def _elsewhere(explanation_paths: Sequence[str]) -> pd.DataFrame:
    if not explanation_paths:
        return pd.DataFrame(columns=["id", "energy_share"])
    return pd.concat([pd.read_parquet(Path(path) / ELSEWHERE) for path in explanation_paths], ignore_index=True)


def _with_samples(
    queue: pd.DataFrame, rows: pd.DataFrame, elsewhere: set[str], patches: SampleTable, images: SampleTable,
    judged: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Return the queue with the patch that stands for each unit, its picture, and what the model says."""
    # Of an image: the candidate that the model looks past, else the strongest, which comes first.
    order = rows.assign(first=~rows["id"].isin(elsewhere)).sort_values("first", kind="stable").drop_duplicates("unit")
    chosen = order.set_index("unit", drop=False).loc[queue["unit"]].drop(columns="first")
    shown = samples_to_review(chosen, images).reset_index(drop=True)
    said = judged.set_index("unit").reindex(queue["unit"]).reset_index(drop=True)
    columns = ["predicted", *(name for name in said.columns if str(name).startswith("p_"))]
    told = [queue[["doubt", "reasons", "text"]], said[columns].fillna({"predicted": ""})]
    keep = ["crop_x_px", "crop_y_px", "crop_px", "group", "product", "cycle"]
    found = pd.concat([shown[[*SAMPLE_COLUMNS, *keep]], *told], axis=1)
    if found.empty:
        return found.assign(picture=pd.Series(dtype=object))
    patch_NHW = ShardReader(patches.root, "patch").read(shown["shard"], shown["row"])
    return found.assign(picture=[_picture(patch_HW) for patch_HW in patch_NHW])


def _picture(patch_HW: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    large = cv2.resize(patch_HW, (_PICTURE_PX, _PICTURE_PX), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".png", large)[1])


def _with_thumbnails(queue: pd.DataFrame) -> pd.DataFrame:
    """Return the first rows as MLflow shows them: what a person reads, the picture first."""
    import io

    from PIL import Image

    first = queue.head(_IN_TABLE)
    pictures = [Image.open(io.BytesIO(png)).resize((_THUMBNAIL_PX, _THUMBNAIL_PX)) for png in first["picture"]]
    columns = ["id", "label", "predicted", "reasons", "text", "doubt", "image", "source", "group", "product", "cycle"]
    return first[columns].assign(thumbnail=pd.Series(pictures, first.index, dtype=object))[["thumbnail", *columns]]


def _write(run: StepRun, queue: pd.DataFrame, classes: Sequence[str], images: SampleTable, queue_path: str) -> None:
    """Write the folder and log it: on the pipeline's own run, where a reviewer opens first."""
    from glassline.report.figures import save_figure

    first = images.rows.iloc[0]
    title = f"To review: {first['product']} {first['cycle']}".strip()
    facts = {"MLflow run": pipeline_run_id() or run.run_id, "data": images.content_hash()[:16]}
    with written_whole(queue_path) as beside:
        beside.mkdir(parents=True)
        queue.to_parquet(beside / QUEUE)
        write_tasks(queue, classes, _PICTURE_PX, beside)
        write_queue_page(queue, classes, title, facts, beside / PAGE)
        figure = queue_sheet(queue)
        save_figure(figure, beside / SHEET)
    run.figure(figure, "review")
    kinds = queue["reasons"].str.split(", ").explode()
    counts = {f"review_{name}": int((kinds == name).sum()) for name in REASONS}
    metrics = {"review": len(queue), **counts}
    run.metrics(metrics)
    if len(queue):
        run.table(_with_thumbnails(queue), "review")
    run.artifact(Path(queue_path) / PAGE)
    parent_tags({}, metrics)
    parent_artifact(Path(queue_path) / PAGE)
    parent_artifact(queue_path, REVIEW)
