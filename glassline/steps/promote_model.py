"""Register the best candidate, and make it champion only when it passes the gate."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from glassline.analysis.compared import Compared, read_compared
from glassline.analysis.gate import Judgement, best, judge_candidates, rank
from glassline.analysis.gate_rules import Reason
from glassline.analysis.gate_settings import GateSettings
from glassline.data.storage import written_whole
from glassline.errors import ModelError
from glassline.tracking import StepRun, parent_tags, pipeline_run_id, step_run
from glassline.tracking.champion import PIPELINE_RUN, find_champion
from glassline.tracking.cycles import FINAL, KEPT, PROMOTED
from glassline.tracking.lock import promotion_lock
from glassline.tracking.registry import find_version, make_champion, register_model
from glassline.tracking.rollback import ROLLED_BACK_TO

# What the list of pipeline runs shows besides the figures of the evaluation.
_SHOWN = (
    "champion_fn_rate", "fn_difference", "fn_upper", "champion_accuracy", "accuracy_difference",
    "mcnemar_p", "latency_ms",
)  # fmt: skip


def promote_model(
    compared_paths: Sequence[str], registered_model: str, gate: Mapping[str, Any], promotion_path: str
) -> str:
    """Register the best candidate as `challenger`; move `champion` to it when it passes every rule of the gate.

    Of several that pass, that of the fewest false negatives, then of the highest accuracy. Nothing is promoted when
    the champion is no longer the one that was compared, or when the candidate was rolled back before. One whose export
    lacks parity is not registered. What a killed try has done is not done again.

    Args:
        compared_paths: Folders written by `compare_champion`, one per candidate.
        registered_model: Name in the registry.
        gate: Fields of `GateSettings`.
        promotion_path: JSON: `promoted`, `version` ("" where none has parity), `name`, `champion` (the version compared
            with, "" for none), `candidate`, `reasons` of that candidate (`rule`, `passed`, `text`), `notes`, and under
            `candidates` the reasons, figures and recalls of each.

    Returns:
        `promoted` or `kept`.

    Raises:
        DataError: A comparison is missing or damaged.
        ModelError: The training of every candidate failed; tells why each did.
        SettingsError: A setting of the gate is out of range.
        TrackingError: The registry does not answer; given again, the step goes on from there.
    """
    settings = GateSettings.parse(gate)
    params = {"registered_model": registered_model, "gate": settings.model_dump(), "candidates": len(compared_paths)}
    with step_run("promote_model", params) as run:
        compared = {one.name: one for one in map(read_compared, compared_paths)}
        judged = judge_candidates(list(compared.values()), settings)
        _check_trained(run, list(compared.values()), judged)
        chosen, version = best(judged) or min(judged, key=lambda one: (not one.may_be_handed_out, *rank(one))), ""
        if chosen.may_be_handed_out:
            with promotion_lock(registered_model, run.run_id):
                version, chosen = _register(registered_model, compared[chosen.candidate], chosen)
        judged = [chosen if one.candidate == chosen.candidate else one for one in judged]
        promotion = {
            "promoted": chosen.passed, "version": version, "name": registered_model,
            "champion": compared[chosen.candidate].champion, "candidate": chosen.candidate,
            "reasons": [asdict(one) for one in chosen.reasons], "notes": compared[chosen.candidate].notes,
            "candidates": [_told(one) for one in judged], "gate": settings.model_dump(),
        }  # fmt: skip
        with written_whole(promotion_path) as beside:
            beside.write_text(json.dumps(promotion, indent=2))
        verdict = PROMOTED if chosen.passed else KEPT
        _log(run, judged, chosen, promotion, verdict)
        return verdict


def _check_trained(run: StepRun, compared: Sequence[Compared], judged: Sequence[Judgement]) -> None:
    """Fail where there is no candidate to decide on."""
    if all(one.failure for one in compared):
        run.table(_reasons(judged), "reasons")
        told = "; ".join(f"{one.name}: {one.failure}" for one in compared)
        raise ModelError(f"at least one candidate must come out of its training, got none: {told}")


def _register(name: str, candidate: Compared, judged: Judgement) -> tuple[str, Judgement]:
    """Register a candidate, move the champion where it passed, and return its version and what became of it."""
    version = register_model(
        name, candidate.export_run,
        {
            "product": candidate.product, "cycle": candidate.cycle, "table_hash": candidate.data_hash,
            "model": str(candidate.candidate["model"]), "start": str(candidate.candidate["start"]),
            PIPELINE_RUN: pipeline_run_id() or "",
        },
    )  # fmt: skip
    if not judged.passed:
        return version, judged
    now = find_champion(name)
    if now and now.version == version:  # a killed try got so far
        return version, judged
    stands = now.version if now else ""
    if text := _rolled_back(name, version):
        return version, _held_back(judged, text, is_final=True)
    if stands != candidate.champion:
        text = (
            f"the champion is now {_version(stands)}, not {_version(candidate.champion)}, which was compared: it is "
            "kept; run the cycle again"
        )
        return version, _held_back(judged, text, is_final=False)
    make_champion(name, version, previous=stands)
    return version, judged


def _rolled_back(name: str, version: str) -> str:
    """Return that a version was rolled back from, "" where it was not."""
    found = find_version(name, version)
    if not found or ROLLED_BACK_TO not in found.tags:
        return ""
    return (
        f"version {version} was champion and was rolled back to version {found.tags[ROLLED_BACK_TO]}, so that it "
        "is not promoted again; run a cycle on other data, or move the alias in MLflow"
    )


def _held_back(judged: Judgement, text: str, is_final: bool) -> Judgement:
    """Return the judgement of a candidate that passed and is not promoted after all."""
    reasons = [Reason("champion", False, text) if one.rule == "champion" else one for one in judged.reasons]
    return replace(judged, reasons=tuple(reasons), is_final=is_final)


def _version(version: str) -> str:
    return f"version {version}" if version else "none"


def _told(judged: Judgement) -> dict[str, Any]:
    recalls = judged.recalls.astype(object).where(judged.recalls.notna(), None)
    return {
        "name": judged.candidate, "passed": judged.passed, "reasons": [asdict(one) for one in judged.reasons],
        "figures": dict(judged.figures), "recalls": recalls.to_dict("records"),
    }  # fmt: skip


def _reasons(judged: Sequence[Judgement]) -> pd.DataFrame:
    rows = [{"candidate": one.candidate, **asdict(reason)} for one in judged for reason in one.reasons]
    return pd.DataFrame(rows)


def _log(
    run: StepRun, judged: Sequence[Judgement], chosen: Judgement, promotion: Mapping[str, Any], verdict: str
) -> None:
    """Leave every reason as table and tags, and the figure, on this run and the chosen one's on the pipeline's."""
    from glassline.report.gate import gate_figure

    run.table(_reasons(judged), "reasons")
    tags = {f"gate.{one.rule}": f"{'passed' if one.passed else 'failed'}: {one.text}"[:2000] for one in chosen.reasons}
    tags[FINAL] = str(chosen.is_final).lower()
    run.tags({**tags, "verdict": verdict})
    run.metrics(chosen.figures)
    run.figure(gate_figure(promotion), "gate")
    parent_tags({**tags, "verdict": verdict}, {name: chosen.figures[name] for name in _SHOWN if name in chosen.figures})
