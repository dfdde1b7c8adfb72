"""Check a new cycle's data against itself and the last cycle's, and name the candidates to train."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.analysis.candidate_methods import choose_candidates
from glassline.analysis.cycle_check import CycleCheck, check_data
from glassline.analysis.cycle_counts import fold_findings
from glassline.analysis.cycle_findings import Finding, findings_table, outcomes, refuse
from glassline.analysis.cycle_settings import CheckSettings
from glassline.data.samples import read_samples
from glassline.data.storage import written_whole
from glassline.deploy.last_cycle import CYCLE_LIGHT, LastCycle, read_last_cycle
from glassline.steps.train_ensemble import training_rows
from glassline.tracking import StepRun, parent_artifact, parent_tags, step_run
from glassline.tracking.champion import keep_table

#: Where a reviewer finds what the check says, among the artifacts of the pipeline's run.
CYCLE_FOLDER = "cycle"


def check_cycle(
    split_path: str, samples_path: str, product: str, cycle: str, registered_model: str, check: Mapping[str, Any],
    checked_path: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Check the data, and return the candidates: `name`, `model` and `start` (scratch, champion, sources) of each.

    The step's run gets a tag `check.RULE` of every rule, all tables and figures; the pipeline's run the table of
    patches and the light, as `cycle/split.parquet` and `cycle/light.parquet`, for the next cycle to compare with.

    Args:
        split_path: Table of patches with folds.
        samples_path: Table of the images that they come from.
        product: Product name.
        cycle: Product cycle.
        registered_model: Name in the registry, whose champion tells of the last cycle.
        check: Fields of `CheckSettings`.
        checked_path: Folder for `check.json`, tables and figures; see `cycle_check_sections`.

    Raises:
        DataError: The data are refused; names every problem, each with its remedy.
        SettingsError: A named candidate cannot be trained.
        TrackingError: The registry does not answer.
    """
    from glassline.report.cycle_check import write_cycle_check

    told = {"product": product, "cycle": cycle, "registered_model": registered_model, "check": dict(check)}
    with step_run("check_cycle", told) as run:
        settings = CheckSettings.parse(check)
        split, images = read_samples(split_path, "patches", extra=["fold"]), read_samples(samples_path, "images")
        last = read_last_cycle(registered_model)
        found = check_data(split, images, product, cycle, last, settings, lambda what: print(what, flush=True))
        found.findings.extend(fold_findings(split, training_rows(split)))
        candidates = _candidates(found, last, settings)
        about = {**told, "candidates": candidates, "smallest_class": _smallest(found.counts)}
        with written_whole(checked_path) as beside:
            figures = write_cycle_check(found, last, split, settings, about, beside)
        for name in figures:
            run.artifact(Path(checked_path) / name, "figures")
        _log(run, found, last, candidates, checked_path)
        try:
            refuse(found.findings, f"the data of {product}, cycle {cycle},")
        except Exception:
            parent_tags({"verdict": "refused"})
            raise
        keep_table(split)  # what the next cycle is compared with
        parent_artifact(Path(checked_path) / CYCLE_LIGHT.rpartition("/")[2], CYCLE_FOLDER)
        return candidates


def _candidates(found: CycleCheck, last: LastCycle, settings: CheckSettings) -> list[dict[str, Any]]:
    sources = settings.sources > 0 or last.table is not None
    return choose_candidates(_smallest(found.counts), last.model, last.has_weights, sources, settings)


def _smallest(counts: pd.DataFrame) -> int:
    """Return the samples of the smallest class that has any."""
    units = counts["units"][counts["units"] > 0]
    return int(units.min()) if len(units) else 0


def _log(run: StepRun, found: CycleCheck, last: LastCycle, candidates: list[dict[str, Any]], checked_path: str) -> None:
    told = outcomes(found.findings)
    run.tags({f"check.{rule}": level for rule, level in told.items()})
    parent_tags({"check": max(told.values(), key=("passed", "told", "warned", "refused").index)})
    for line in [*last.lacks, *_warnings(found.findings)]:
        run.note(line)
    run.table(findings_table(found.findings), "findings")
    run.table(found.counts, "class_counts")
    run.table(pd.DataFrame(candidates), "candidates")
    for table, name in ((found.shifts, "light"), (found.near, "near_duplicates")):
        if len(table):
            run.table(table, name)
    metrics: dict[str, float] = {
        "units": int(found.counts["units"].sum()), "smallest_class": _smallest(found.counts),
        "near_duplicates": len(found.near), "unreadable_images": len(found.light.unreadable),
        "images_measured": found.light.images["image"].nunique(), "candidates": len(candidates),
    }  # fmt: skip
    if found.drift is not None:
        run.table(found.drift.attributes, "attribute_drift")
        metrics |= {
            "attributes": len(found.drift.attributes),
            "attributes_drifted": int(found.drift.attributes["drifted"].sum()),
            "embedding_energy": found.drift.energy.effect, "embedding_p": found.drift.energy.p,
        }  # fmt: skip
        if found.drift.beyond is not None:
            metrics["beyond_known_share"] = found.drift.beyond
    run.metrics(metrics)
    run.artifact(Path(checked_path) / "check.json")


def _warnings(findings: list[Finding]) -> list[str]:
    return [f"{one.rule}: {one.text}" for one in findings if one.level in {"told", "warned"}]
