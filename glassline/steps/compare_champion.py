"""Judge a candidate and the champion on the same units, of the new product and of the old one."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from glassline.analysis.compared import COLUMNS, Compared, nothing_of
from glassline.analysis.gate_settings import LatencySettings
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import is_real, test_rows
from glassline.data.unseen import shared_rows
from glassline.deploy.bundle import Bundle, load_bundle
from glassline.deploy.judge import classify
from glassline.deploy.latency import metadata_of, unit_latency
from glassline.errors import DataError, ModelError, SettingsError
from glassline.steps.evaluate_classifier import PREDICTIONS
from glassline.steps.train_ensemble import TEST_FOLD
from glassline.tracking import BUNDLE, step_run
from glassline.tracking.champion import Champion, champion_bundle, champion_table, find_champion, keep_table
from glassline.training.failed_fit import failure_of

# What a bundle raises that cannot be trusted, or cannot judge these samples. A store that does not answer is none of
# them: another time it may.
_CANNOT = (ModelError, DataError, SettingsError)


@dataclass
class _Told:
    """What the champion said, or why it did not."""

    new: pd.DataFrame | None = None
    old: pd.DataFrame | None = None
    error: str = ""
    old_error: str = ""
    old_lost: bool = False
    notes: list[str] = field(default_factory=list)


def compare_champion(
    augmented_path: str, bundle_path: str, export_run: str, validated_path: str, candidate: Mapping[str, Any],
    registered_model: str, latency: Mapping[str, Any], compared_path: str,
) -> None:  # fmt: skip
    """Write what the gate decides on: both models' answers on the same units, parity and latency.

    On the new product the candidate's answers are those of its cross-validation, and the champion judges the same
    units. On the old one both bundles judge the fold that the champion's own training held out. Units that either was
    trained on are marked, known by the hash of their image or by their group. None of all says `unknown`: a
    cross-validation knows no such answer, and one side alone would lose by it.

    Args:
        augmented_path: Table of patches with folds, of the new product.
        bundle_path: Folder with the candidate's `bundle.zip`, or why its training failed.
        export_run: Run of `export_model` that logged it.
        validated_path: Folder with `predictions.parquet`, where each unit is judged once by a fit that never saw it;
            rows of other models than the candidate's name are passed over.
        candidate: `name`, `model` and `start`.
        registered_model: Name in the registry, whose champion is judged.
        latency: Fields of `LatencySettings`.
        compared_path: Folder for `compared.parquet` and `compared.json`; see `Compared`.

    Raises:
        DataError: The candidate's answers are not one for each unit of the table.
        ModelError: The candidate's bundle cannot be trusted.
        StorageError: The store of a product's patches does not answer.
        TrackingError: The registry does not answer.
    """
    settings = LatencySettings.parse(latency)
    params = {"candidate": dict(candidate), "registered_model": registered_model, "latency": settings.model_dump()}
    with step_run("compare_champion", params, part=str(candidate["name"])) as run:
        table = read_samples(augmented_path, "patches", extra=["fold"])
        if failure := failure_of(bundle_path):
            nothing_of(candidate, export_run, table, failure).write(compared_path)
            return
        bundle = load_bundle(Path(bundle_path) / BUNDLE.split("/")[1])
        mine = _validated(validated_path, str(candidate["name"]), table)
        champion, told = find_champion(registered_model), _Told()
        if champion:
            with tempfile.TemporaryDirectory() as folder:
                told = _ask(champion, table, bundle, Path(folder))
        new = mine.assign(product="new", champion="", seen=False)
        if told.new is not None:
            asked = told.new.set_index("unit").loc[new["unit"]]
            new = new.assign(champion=asked["champion"].to_numpy(), seen=asked["seen"].to_numpy())
        timed = unit_latency(bundle, table, table.rows.iloc[test_rows(table, TEST_FOLD)], settings)
        compared = Compared(
            candidate=dict(candidate), export_run=export_run, product=str(table.rows["product"].iloc[0]),
            cycle=str(table.rows["cycle"].iloc[0]), data_hash=bundle.manifest.data_hash,
            clean_class=table.clean_class, parity=dict(bundle.manifest.parity), latency_ms=timed,
            answers=new if told.old is None else pd.concat([new, told.old], ignore_index=True),
            champion=champion.version if champion else "", champion_run=champion.export_run if champion else "",
            champion_error=told.error, old_error=told.old_error, old_lost=told.old_lost, notes=told.notes,
        )  # fmt: skip
        compared.write(compared_path)
        keep_table(table.with_rows(table.rows[is_real(table)]))  # for the cycle that compares with this one
        run.metrics({"latency_ms": float(timed["p95"]), "latency_median_ms": float(timed["median"])})
        run.table(compared.answers[list(COLUMNS)], "compared")
        for line in (told.error, *told.notes):
            if line:
                run.note(line)


def _validated(folder: str, name: str, table: SampleTable) -> pd.DataFrame:
    """Return the candidate's answers: unit, group, actual, candidate."""
    rows = pd.read_parquet(Path(folder) / PREDICTIONS)
    rows = rows[rows["model"] == name]
    units = set(table.rows["unit"])
    if set(rows["unit"]) != units or rows["unit"].duplicated().any():
        raise DataError(
            f"{PREDICTIONS} must hold one answer of {name} for each of {len(units)} units, got {len(rows)} of "
            f"{rows['unit'].nunique()} units; cross-validate it on this very table"
        )
    answers = rows.rename(columns={"predicted": "candidate"})
    return answers[["unit", "group", "actual", "candidate"]].sort_values("unit", ignore_index=True)


def _ask(champion: Champion, table: SampleTable, candidate: Bundle, folder: Path) -> _Told:
    """Let the champion judge the new product, and both the old one."""
    told = _Told()
    old, damage = champion_table(champion)
    try:
        bundle = load_bundle(champion_bundle(champion, folder / "bundle"))
        new = pd.concat(
            [_judge(table, fold, bundle, "champion", table.clean_class) for fold in sorted(set(table.rows["fold"]))],
            ignore_index=True,
        )
    except _CANNOT as error:
        told.error = f"champion {champion.version} cannot judge: {error}"
        return told
    same = bundle.manifest.data_hash == table.content_hash()  # known even where its run kept no table
    told.new = new.assign(seen=new["unit"].isin(_seen(table, table if same else old)))
    told.notes = _caveats(bundle, candidate, told.new, known=same or old is not None)
    if old is None:
        told.old_error, told.old_lost = damage or "the champion's run kept no table of patches", bool(damage)
        return told
    try:
        told.old = _on_old(old, table, candidate, bundle)
    except _CANNOT as error:
        told.old_error, told.old_lost = str(error), True
    return told


def _on_old(old: SampleTable, table: SampleTable, candidate: Bundle, champion: Bundle) -> pd.DataFrame:
    """Return the answers of both on the fold that the champion's training held out."""
    mine, other = (
        _judge(old, TEST_FOLD, bundle, name, table.clean_class)
        for bundle, name in ((candidate, "candidate"), (champion, "champion"))
    )
    both = mine.assign(champion=other["champion"], product="old", seen=mine["unit"].isin(_seen(old, table)))
    if old.clean_class:
        both["actual"] = both["actual"].replace({old.clean_class: table.clean_class or old.clean_class})
    return both[list(COLUMNS)]


def _judge(table: SampleTable, fold: int, bundle: Bundle, column: str, clean: str) -> pd.DataFrame:
    """Return a bundle's answers on a fold of a table: unit, group, actual, and the answer by the column's name.

    Args:
        table: Table of patches.
        fold: Which fold.
        bundle: What judges.
        column: Name of the column of answers.
        clean: What the class without defect is called in the comparison.

    Raises:
        ModelError: The bundle reads other patches or columns than the table has.
    """
    rows = table.rows.iloc[test_rows(table, int(fold))]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    judged = classify(bundle, rows, patch_NHW, metadata_of(rows, bundle))
    answer = judged["predicted"]
    if clean and bundle.manifest.clean_class:
        answer = answer.replace({bundle.manifest.clean_class: clean})
    return judged[["unit", "group", "actual"]].assign(**{column: answer})


def _seen(table: SampleTable, learned: SampleTable | None) -> set[str]:
    """Return the units of a table whose image or group was trained on, in another fold than the held-out one."""
    if learned is None:
        return set()
    trained = learned.with_rows(learned.rows[is_real(learned) & (learned.rows["fold"] != TEST_FOLD)])
    return set(table.rows["unit"][shared_rows(table, trained)])


def _caveats(champion: Bundle, candidate: Bundle, new: pd.DataFrame, known: bool) -> list[str]:
    """Return what a reviewer should know of the comparison."""
    found, seen = [], int(new["seen"].sum())
    if seen:
        found.append(f"the champion was trained on {seen} of {len(new)} units, which are left out of the comparison")
    if not known:
        found.append("what the champion was trained on is not known: it may have seen some units, to its advantage")
    if champion.manifest.preprocessing != candidate.manifest.preprocessing:
        found.append(
            "patches were cut as the candidate reads them, with other settings than the champion was trained on"
        )
    unknown = sorted(set(candidate.manifest.classes) - set(champion.manifest.classes))
    if unknown:
        found.append(f"the champion does not know the classes {', '.join(unknown)}")
    return found
