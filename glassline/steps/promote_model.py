"""Register the export, and make it champion only when it is provably better than the champion."""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glassline.analysis.significance import mcnemar_test
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.deploy.bundle import Bundle, load_bundle
from glassline.deploy.judge import judge
from glassline.errors import GlasslineError, SettingsError
from glassline.steps.train_ensemble import TEST_FOLD
from glassline.tracking import BUNDLE, parent_tags, step_run
from glassline.tracking.registry import champion_bundle, make_champion, register_model


def promote_model(
    augmented_path: str, bundle_path: str, export_run: str, registered_model: str, significance: float,
    promotion_path: str,
) -> str:  # fmt: skip
    """Register the bundle as `challenger`; move `champion` to it when McNemar's test says it is better.

    Both are run on the same held-out fold, through the same runtime. The first model of a name becomes
    champion, since there is nothing to be worse than.

    Args:
        augmented_path: Table of patches with folds.
        bundle_path: Folder with `bundle.zip`.
        export_run: Run of `export_model` that logged the model.
        registered_model: Name in the registry.
        significance: Largest p at which the challenger counts as better, in (0, 1).
        promotion_path: JSON: promoted, version, champion, reasons, and the figures of the comparison.

    Returns:
        `promoted` or `kept`.

    Raises:
        SettingsError: The significance is out of range.
        TrackingError: The registry does not answer.
    """
    if not 0 < significance < 1:
        raise SettingsError(f"significance must be in (0, 1), got {significance}; 0.05 is usual")
    with step_run("promote_model", {"registered_model": registered_model, "significance": significance}) as run:
        table = read_samples(augmented_path, "patches", extra=["fold"])
        challenger = load_bundle(Path(bundle_path) / BUNDLE.split("/")[1])
        with tempfile.TemporaryDirectory() as folder:
            found = champion_bundle(registered_model, Path(folder))
            reasons = [f"{registered_model} has no champion yet"]
            verdict: dict[str, Any] = {"promoted": True, "champion": "", "reasons": reasons}
            if found:
                version, path = found
                verdict = {"champion": version, **_duel(table, challenger, path, version, significance)}
        version = register_model(
            registered_model,
            export_run,
            {"data_hash": challenger.manifest.data_hash, "model": challenger.manifest.model},
        )
        if verdict["promoted"]:
            make_champion(registered_model, version)
        decision = "promoted" if verdict["promoted"] else "kept"
        with written_whole(promotion_path) as beside:
            beside.write_text(json.dumps({**verdict, "version": version, "name": registered_model}, indent=2))
        run.tags({"glassline.decision": decision, "glassline.reasons": "\n".join(verdict["reasons"])})
        run.table(pd.DataFrame({"reason": verdict["reasons"]}), "reasons")
        parent_tags({"decision": decision})
        return decision


def _duel(
    table: SampleTable, challenger: Bundle, champion_path: Path, version: str, significance: float
) -> dict[str, Any]:
    """Run both on the held-out fold and decide."""
    rows = table.rows.iloc[test_rows(table, TEST_FOLD)]
    try:
        champion = load_bundle(champion_path)
        old = _judge(table, rows, champion)
    except GlasslineError as error:
        return {"promoted": False, "reasons": [f"champion {version} cannot judge these samples, it is kept: {error}"]}
    new = _judge(table, rows, challenger)
    old_right, new_right = (one["actual"] == one["predicted"] for one in (old, new))
    paired = mcnemar_test(new_right.to_numpy(), old_right.to_numpy())
    better, sure = new_right.mean() > old_right.mean(), paired.p < significance
    reasons = [
        f"accuracy on {len(new)} held-out units: challenger {new_right.mean():.4f}, champion {version} "
        f"{old_right.mean():.4f}",
        f"McNemar p = {paired.p:.4g}, {'below' if sure else 'not below'} the stated {significance:g}",
    ]
    if champion.manifest.data_hash != challenger.manifest.data_hash:
        reasons.append(
            "the champion was trained on other samples and may have seen some of these: it had the advantage"
        )
    return {
        "promoted": bool(better and sure), "reasons": reasons, "challenger_accuracy": float(new_right.mean()),
        "champion_accuracy": float(old_right.mean()), "mcnemar_p": paired.p,
    }  # fmt: skip


def _judge(table: SampleTable, rows: pd.DataFrame, bundle: Bundle) -> pd.DataFrame:
    """Return the decisions of a bundle on rows of a table.

    Raises:
        ModelError: The bundle reads other patches or columns than the table has.
    """
    manifest = bundle.manifest
    metadata_NM = rows.reindex(columns=list(manifest.attributes)).to_numpy(np.float32)
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    return judge(bundle, rows, patch_NHW, metadata_NM)
