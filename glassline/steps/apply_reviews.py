"""Apply what people decided on a review queue to the table of images."""

import pandas as pd

from glassline.data.problems import Problems
from glassline.data.reviews.apply import Reviewed, apply_decisions
from glassline.data.reviews.decisions import read_decisions
from glassline.data.samples import read_samples
from glassline.data.store import check_unchanged, fetched, place_hash
from glassline.tracking import StepRun, parent_tags, step_run

_NAMED = 10  # rejected samples that a note names


def apply_reviews(samples_path: str, reviews: str, reviews_format: str, reviews_hash: str, reviewed_path: str) -> str:
    """Apply decisions and return the content hash of the table.

    Args:
        samples_path: Table of images.
        reviews: File of decisions, a path or an S3 URL; "" passes the table through as it is.
        reviews_format: csv, label-studio, cvat or coco.
        reviews_hash: SHA-256 of the file when the run was submitted; "" skips the comparison.
        reviewed_path: Where the table goes.

    Raises:
        DataError: The file changed since the run was submitted, or a decision breaks a rule: an unknown sample or
            class, an image of other content, or two decisions that contradict each other.
    """
    params = {"reviews": reviews, "reviews_format": reviews_format, "reviews_hash": reviews_hash}
    with step_run("apply_reviews", params) as run:
        table = read_samples(samples_path, "images")
        if reviews:
            check_unchanged(reviews, reviews_hash, lambda: place_hash(reviews), "import")
            problems = Problems(reviews, "applied")
            with fetched(reviews, "a file of decisions") as file:
                decisions = read_decisions(file, reviews_format, problems)
            reviewed = apply_decisions(table, decisions, problems)
            _log(run, reviewed, reviews_hash or place_hash(reviews))
            table = reviewed.table
        table.write(reviewed_path)
        content = table.content_hash()
        run.params({"content_hash": content})
        return content


def _log(run: StepRun, reviewed: Reviewed, reviews_hash: str) -> None:
    """Leave what was applied on this run, and on the pipeline's which decisions they were: a cycle is known by them."""
    applied = reviewed.applied
    counts = {name: int((applied["decision"] == name).sum()) for name in ("accepted", "corrected", "rejected")}
    metrics = {f"reviews_{name}": count for name, count in {**counts, "undecided": reviewed.undecided}.items()}
    run.metrics(metrics)
    parent_tags({"reviews_hash": reviews_hash}, metrics)
    if applied.empty:
        run.note("no sample was decided on; the data is as it was imported")
        return
    run.table(applied, "reviews_applied")
    run.note(f"decisions of reviewers: {', '.join(f'{count} {name}' for name, count in counts.items())}")
    rejected = applied.loc[applied["decision"] == "rejected", "id"]
    if len(rejected):
        run.note(f"rejected samples are left out: {_some(rejected)}")


def _some(names: "pd.Series[str]") -> str:
    more = f" and {len(names) - _NAMED} more, see the table reviews_applied" if len(names) > _NAMED else ""
    return ", ".join(names.head(_NAMED)) + more
