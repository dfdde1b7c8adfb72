"""System B's figures: methods on balanced data, a balanced part held out, and what the inputs show."""

from dataclasses import replace

import numpy as np
import pandas as pd

from glassline.analysis.input_variation import input_variation as vary
from glassline.analysis.metrics import classifier_metrics
from glassline.bench.measured import Bench, Measured, table_block
from glassline.bench.measures.patches import judged, metrics_by_model, split_patches, training, with_copies
from glassline.bench.measures.published import figures_of
from glassline.data.balanced import draw_balanced, draw_per_class, hold_out_groups
from glassline.data.balanced import with_copies as rows_with_copies
from glassline.data.shards import ShardReader
from glassline.report.confusion import confusion_figure
from glassline.training.methods import fit_and_predict, for_few_rows

_SHARE, _PER_CLASS = 0.3, 200


def by_method(bench: Bench) -> Measured:
    """Measure the accuracy of the triplet network beside the comparators, as many patches of each class."""
    table = split_patches(bench)
    drawn = replace(table, rows=table.rows.iloc[draw_balanced(table, bench.seed)].reset_index(drop=True))
    names = ("triplet", "svm", "knn", "naive_bayes") + (() if bench.size == "smoke" else ("siamese", "mlp", "cnn"))
    settings = for_few_rows(training(bench), len(drawn.rows)) if bench.size != "smoke" else training(bench)
    found = metrics_by_model(judged(bench, drawn, names, settings), drawn.classes)
    told = {name: one.accuracy for name, one in found.items()}
    rows = pd.DataFrame(
        [{"method": name, "accuracy": one.accuracy, "macro F1": one.macro_f1} for name, one in found.items()]
    )
    return Measured({**told, "patches": len(drawn.rows)}, [table_block(rows)])


def held_out(bench: Bench) -> Measured:
    """Measure the triplet network on about 30 % of as many patches of each class, held out by glass."""
    table = with_copies(split_patches(bench), bench)
    kept_N, test_N = hold_out_groups(table, draw_balanced(table, bench.seed), _SHARE, bench.seed)
    train_N, settings = rows_with_copies(table, kept_N), training(bench)
    if bench.size != "smoke":
        settings = for_few_rows(settings, len(train_N))
    probability_NC, _ = fit_and_predict(
        "triplet", table, train_N, test_N, settings, bench.seed, bench.store.below("checkpoints"), lambda *told: None
    )
    predicted = [table.classes[index] for index in probability_NC.argmax(axis=1)]
    metrics = classifier_metrics(table.rows["label"].iloc[test_N], predicted, table.classes)
    figure = confusion_figure(metrics.confusion, metrics.classes, "triplet, held out")
    return Measured({**figures_of(metrics), "held out": len(test_N)}, figure=figure)


def input_variation(bench: Bench) -> Measured:
    """Measure the share of patches that are nearer to another class than to their own."""
    from glassline.vision.gradients import gradient_histograms

    table = split_patches(bench)
    rows = table.rows.iloc[draw_per_class(table, np.arange(len(table.rows)), _PER_CLASS, bench.seed)]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    found = vary(rows, gradient_histograms(patch_NHW), table.classes)
    shares = found.classes.set_index("label")["confusable_share"].astype(float).to_dict()
    return Measured(
        {"all": found.confusable_share, **{str(name): share for name, share in shares.items()}},
        [table_block(found.classes)],
    )


def patches_by_class(bench: Bench) -> Measured:
    """Count the patches of each class."""
    counts = split_patches(bench).rows["label"].value_counts()
    return Measured({str(name): float(count) for name, count in counts.items()})
