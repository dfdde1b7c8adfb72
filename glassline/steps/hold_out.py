"""How good is each method on a balanced subset of which a share is held out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from glassline.analysis.metrics import ClassifierMetrics, grouped_metrics
from glassline.analysis.pooling import judge_units
from glassline.data.balanced import Rows, draw_balanced, hold_out_groups, with_copies
from glassline.data.samples import SampleTable, read_samples
from glassline.data.storage import code_hash, content_key, written_whole
from glassline.data.store import Store, open_store
from glassline.report.hold_out_section import CLASSES, TABLE
from glassline.steps.evaluate_classifier import METRICS, PREDICTIONS
from glassline.tracking import StepRun, step_run
from glassline.training.methods import check_methods, fit_and_predict, for_few_rows
from glassline.training.settings import TrainingSettings

_SHARE = 0.3
_OVERALL = (
    "accuracy", "accuracy_low", "accuracy_high", "macro_f1", "macro_f1_low", "macro_f1_high", "f1_of_means",
    "macro_precision", "macro_recall",
)  # fmt: skip


def hold_out(
    augmented_path: str, models: Sequence[str], training: Mapping[str, Any], seed: int, store: str, threads: int,
    hold_out_path: str,
) -> None:  # fmt: skip
    """Draw as many patches of each class, hold out about 30 % by group, and judge each method on these once.

    Source: system B of the reading, section 4.2, Tables 4 and 5: 1210 patches of each class, 30 % of them held out.
    By group is ours: no physical part is on both sides. Only real patches are drawn and judged, each by itself;
    copies of those that are trained on are trained on too. Networks are trained for `least_steps` at least.
    A model that a killed try fitted is read from the store.

    Args:
        augmented_path: Table of patches with augmented copies.
        models: Names of the methods, as in `glassline models`, or of `COMPARATOR_NAMES`.
        training: Fields of `TrainingSettings`; patience and clean_ratio are taken as 0.
        seed: Seed of draw, split and fits.
        store: Folder or S3 URL for checkpoints and finished fits.
        threads: CPU threads of a fit; 0 takes all cores.
        hold_out_path: Folder for `predictions.parquet` (one row per model and patch held out), `metrics.json` (by
            model), `table.parquet` (one row per model), `classes.parquet` (what was drawn) and confusion matrices.

    Raises:
        SettingsError: A name is unknown.
        DataError: A class has too few patches or groups to be on both sides; names it.
    """
    from glassline.report.figures import confusion_figure, save_figure

    with step_run("hold_out", {"models": list(models), "training": dict(training), "seed": seed}) as run:
        check_methods(models)
        settings = TrainingSettings.parse({**training, "patience": 0, "clean_ratio": 0, "threads": threads})
        table = read_samples(augmented_path, "patches", extra=["augmentation"])
        kept_N, test_N = hold_out_groups(table, draw_balanced(table, seed), _SHARE, seed)
        train_N = with_copies(table, kept_N)
        settings = for_few_rows(settings, len(train_N))
        classes = _drawn(table, kept_N, train_N, test_N)
        held_share = len(test_N) / (len(kept_N) + len(test_N))
        run.metrics({"patches": len(kept_N) + len(test_N), "held_out": len(test_N), "held_share": held_share})
        run.table(classes, "classes")
        content = table.content_hash()
        judged = {
            name: _judge(run, table, content, name, train_N, test_N, settings, seed, open_store(store))
            for name in dict.fromkeys(models)
        }
        summary = pd.DataFrame(
            [{"model": name, **_row(one.as_dict(), table.classes)} for name, (_, one) in judged.items()]
        )
        with written_whole(hold_out_path) as beside:
            beside.mkdir(parents=True)
            pd.concat([rows for rows, _ in judged.values()], ignore_index=True).to_parquet(beside / PREDICTIONS)
            summary.to_parquet(beside / TABLE)
            classes.to_parquet(beside / CLASSES)
            (beside / METRICS).write_text(
                json.dumps({name: one.as_dict() for name, (_, one) in judged.items()}, indent=2)
            )
            for name, (_, one) in judged.items():
                figure = confusion_figure(one.confusion, one.classes, f"{name}, held out")
                save_figure(figure, beside / f"confusion_{name}.png")
                run.figure(figure, f"confusion_{name}")
        run.table(summary, "models")


def _drawn(table: SampleTable, kept_N: Rows, train_N: Rows, test_N: Rows) -> pd.DataFrame:
    """Return one row per class: class, patches, trained_on, held_out, share_held_out, copies."""
    labels = table.rows["label"]
    kept, trained, held = (
        labels.iloc[rows_N].value_counts().reindex(list(table.classes), fill_value=0).to_numpy()
        for rows_N in (kept_N, train_N, test_N)
    )
    return pd.DataFrame(
        {
            "class": table.classes,
            "patches": kept + held,
            "trained_on": kept,
            "held_out": held,
            "share_held_out": held / (kept + held),
            "copies": trained - kept,
        }
    )


def _judge(
    run: StepRun, table: SampleTable, content: str, name: str, train_N: Rows, test_N: Rows,
    settings: TrainingSettings, seed: int, store: Store,
) -> tuple[pd.DataFrame, ClassifierMetrics]:  # fmt: skip
    """Return predictions and figures of one model on the patches held out; fitted unless the store knows them."""
    what = [
        name, content, hashlib.sha256(train_N.tobytes()).hexdigest(), hashlib.sha256(test_N.tobytes()).hexdigest(),
        settings.model_dump(), seed, code_hash("models", "training", "analysis", "vision"),
    ]  # fmt: skip
    kept = f"hold_out/{content_key(what)}.parquet"
    with run.child(name) as child:
        child.params({"model": name})
        if store.found(kept) is None:
            probability_NC, _ = fit_and_predict(
                name, table, train_N, test_N, settings, seed, store.below("checkpoints"),
                lambda epoch, values: child.metrics(values, step=epoch),
            )  # fmt: skip
            rows = table.rows.iloc[test_N]
            # The subset is balanced in patches, so each is judged by itself, whatever image it is of.
            rows = rows.assign(unit=rows["id"], unit_label=rows["label"])
            judged = judge_units(rows, probability_NC, table.classes, table.clean_class)
            judged.insert(0, "model", name)
            with store.keep(kept) as beside:
                judged.to_parquet(beside)
        judged = pd.read_parquet(store.file(kept))
        found = grouped_metrics(
            judged["actual"].tolist(), judged["predicted"].tolist(), judged["group"].tolist(), table.classes
        )
        child.metrics(found.as_dict())
        print(f"hold_out: {name} accuracy {found.accuracy:.3f}", flush=True)
        return judged, found


def _row(flat: Mapping[str, float], classes: Sequence[str]) -> dict[str, float | None]:
    """Return overall figures, then precision and recall of each class."""
    names = [*_OVERALL, *(f"{measure}_{name}" for measure in ("precision", "recall") for name in classes)]
    return {name: flat.get(name) for name in names}
