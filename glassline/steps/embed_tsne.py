"""Lay held-out samples out by what the model makes of them."""

from pathlib import Path

import numpy as np

from glassline.data.samples import read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD
from glassline.tracking import parent_artifact, step_run

_AT_MOST = 1000


def embed_tsne(
    augmented_path: str, model_path: str, model: str, seed: int, embedding_path: str, tracked_path: str
) -> None:
    """Embed samples that the model has not trained on in two dimensions and write an interactive plot.

    Source of the rings: system B of the reading, Fig. 7, which tracks what system A gets wrong.

    Args:
        augmented_path: Table of patches with folds.
        model_path: Folder written by `train_ensemble` or `train_triplet`.
        model: Its name.
        seed: Seed of the embedding, and of the choice where there are more than 1000 samples.
        embedding_path: HTML fragment of the plot.
        tracked_path: Folder of another model of the same folds whose errors are ringed, "" for none; the page is then
            linked from the pipeline's own run too.
    """
    from glassline.analysis.embedding import embed_tsne as tsne
    from glassline.report.tsne import Tracked, tsne_html, tsne_page
    from glassline.training.fitted import embed, load_fitted, predict

    with step_run("embed_tsne", {"model": model, "seed": seed}, part=model) as run:
        table, fitted = read_samples(augmented_path, "patches", extra=["fold"]), load_fitted(model_path)
        rows_N = np.concatenate([test_rows(table, TEST_FOLD), test_rows(table, VALIDATION_FOLD)])
        if len(rows_N) > _AT_MOST:
            rows_N = np.random.default_rng(seed).choice(rows_N, _AT_MOST, replace=False)
        rows = table.rows.iloc[rows_N]
        xy_N2 = tsne(embed(fitted, table, rows_N), seed)
        predicted = [fitted.classes[index] for index in predict(fitted, table, rows_N).argmax(1)]
        thumbnails_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        labels, identities = rows["label"].to_list(), rows["id"].to_list()
        tracked, told = None, {"embedded": float(len(rows_N))}
        if tracked_path:
            other = load_fitted(tracked_path)
            tracked = Tracked(other.name, [other.classes[index] for index in predict(other, table, rows_N).argmax(1)])
            ringed_N = np.array(tracked.predictions) != np.array(labels)
            told["tracked_wrong"] = float(ringed_N.sum())
            told["tracked_wrong_right_here"] = float((ringed_N & (np.array(predicted) == np.array(labels))).sum())
        fragment = tsne_html(xy_N2, labels, predicted, identities, thumbnails_NHW, tracked)
        with written_whole(embedding_path) as beside:
            beside.write_text(fragment)
        page = tsne_page(fragment, f"{model}: t-SNE of held-out samples")
        run.text(page, "tsne.html")
        if tracked:
            named = Path(embedding_path).with_name(f"tsne_{model}.html")  # MLflow shows a page by its ending
            named.write_text(page, encoding="utf-8")
            parent_artifact(named)
        run.metrics(told)
