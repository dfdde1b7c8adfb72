"""Cycles of a product that have ended, found again by their data; and where a run is looked at."""

import posixpath
from dataclasses import dataclass
from pathlib import Path

from glassline.tracking import answers, children, client, fetch_artifact, tracking_uri, without_secret
from glassline.tracking.champion import find_champion

#: Verdicts of a cycle, as tag `verdict` of its run: it came to its end, or its data or anything else kept it from it.
PROMOTED, KEPT, REFUSED, FAILED = "promoted", "kept", "refused", "failed"
#: Tag of a cycle's run: `false` where the champion could not be asked, so that the same data is worth another cycle.
FINAL = "glassline.final"
#: What a cycle leaves on its pipeline's run, in Markdown and as a page.
SUMMARY, REPORT = "summary.md", "report.html"


@dataclass(frozen=True)
class EndedCycle:
    """A cycle that ended.

    Attributes:
        run_id: The pipeline's run.
        cycle: Name of the cycle.
        verdict: `promoted` or `kept`.
        is_whole: Whether its run came to its end; one whose model was promoted may have failed after that.
    """

    run_id: str
    cycle: str
    verdict: str
    is_whole: bool = True


def find_ended_cycle(experiment: str, product: str, data_hash: str, reviews_hash: str) -> EndedCycle | None:
    """Return the newest cycle of a product that ended on the same data and the same reviews; None where there is none.

    One that was killed or failed once its model was the champion has ended too, as long as that model is. One that kept
    a champion which could not be asked has decided nothing of its data.

    Args:
        experiment: Where the product's cycles are.
        product: Its name.
        data_hash: SHA-256 of the data.
        reviews_hash: SHA-256 of the decisions that were applied, "" for none.

    Raises:
        TrackingError: The server does not answer.
    """
    with answers():
        found = client().get_experiment_by_name(experiment)
        if found is None:
            return None
        wanted = f"tags.pipeline = 'new_cycle' and tags.data_hash = '{data_hash}'"
        runs = client().search_runs([found.experiment_id], wanted, order_by=["attributes.start_time DESC"])
    for run in runs:
        tags = run.data.tags
        if tags.get("product") != product or tags.get("reviews_hash", "") != reviews_hash:
            continue
        is_whole = run.info.status == "FINISHED"
        if is_whole and tags.get("verdict") in {PROMOTED, KEPT} and tags.get(FINAL) != "false":
            return EndedCycle(run.info.run_id, tags.get("cycle", ""), tags["verdict"])
        if not is_whole and promoted_version(product, run.info.run_id):
            return EndedCycle(run.info.run_id, tags.get("cycle", ""), PROMOTED, is_whole)
    return None


def promoted_version(product: str, run_id: str | None) -> str:
    """Return the version of a product's champion where a pipeline's run registered that one, else ""."""
    champion = find_champion(f"glassline-{product}") if run_id else None
    return champion.version if champion and champion.pipeline_run == run_id else ""


def standing(ended: EndedCycle, product: str) -> tuple[str, str]:
    """Return what a cycle that ended comes to now, `promoted` or `kept`, and what changed since, "" for nothing.

    Its champion may have been rolled back, taken over from, moved by hand, or its alias deleted.

    Args:
        ended: The cycle.
        product: Its product.

    Raises:
        TrackingError: The registry does not answer.
    """
    champion = find_champion(f"glassline-{product}")
    its_own = champion is not None and champion.pipeline_run == ended.run_id
    verdict = PROMOTED if its_own else KEPT
    if verdict == ended.verdict:
        return verdict, ""
    if champion is None:
        return verdict, f" Since then the alias champion was deleted: {product} has none now. What it said then:"
    whose = "its own" if its_own else f"of cycle {champion.tags.get('cycle') or 'unknown'}"
    return verdict, f" Since then the champion moved: now it is version {champion.version}, {whose}. What it said then:"


def run_verdict(run_id: str) -> str:
    """Return the tag `verdict` of a pipeline's run, "" where it has none."""
    with answers():
        return str(client().get_run(run_id).data.tags.get("verdict", ""))


def failed_step(run_id: str | None) -> str:
    """Return what the step that failed first said, line by line as it did; "" where none did.

    Args:
        run_id: The pipeline's run, None outside of one.
    """
    failed = [one["run_id"] for one in children(run_id) if one["status"] == "FAILED"] if run_id else []
    if not failed:
        return ""
    with answers():
        told = client().get_run(failed[0]).data.tags.get("glassline.error", "")
    return str(told.partition(": ")[2])


def read_summary(run_id: str, folder: Path) -> str:
    """Return the summary that a cycle left, "" where it left none.

    Args:
        run_id: The pipeline's run.
        folder: Where the file is put.
    """
    with answers():
        names = {one.path for one in client().list_artifacts(run_id)}
    return fetch_artifact(run_id, SUMMARY, folder).read_text(encoding="utf-8") if SUMMARY in names else ""


def run_links(run_id: str) -> dict[str, str]:
    """Return where a run and its report are opened, by what it is: pages of a server, else the id and the file."""
    uri = tracking_uri()
    with answers():
        found = client().get_run(run_id)
    if uri.startswith(("http://", "https://")):
        page = f"{without_secret(uri).rstrip('/')}/#/experiments/{found.info.experiment_id}/runs/{run_id}"
        return {"MLflow run": page, "report": f"{page}/artifacts/{REPORT}"}
    return {"MLflow run": run_id, "report": posixpath.join(found.info.artifact_uri, REPORT)}
