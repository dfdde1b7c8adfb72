"""Lay held-out samples out by what the model makes of them."""

import numpy as np

from glassline.data.samples import read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.steps.train_ensemble import TEST_FOLD, VALIDATION_FOLD
from glassline.tracking import step_run

_AT_MOST = 1000


def embed_tsne(augmented_path: str, model_path: str, seed: int, embedding_path: str) -> None:
    """Embed samples that the model has not trained on in two dimensions and write an interactive plot.

    Args:
        augmented_path: Table of patches with folds.
        model_path: Folder written by `train_ensemble`.
        seed: Seed of the embedding, and of the choice where there are more than 1000 samples.
        embedding_path: HTML fragment of the plot.
    """
    from glassline.analysis.embedding import embed_tsne as tsne
    from glassline.report.tsne import tsne_html, tsne_page
    from glassline.training.fitted import embed, load_fitted, predict

    with step_run("embed_tsne", {"seed": seed}) as run:
        table, fitted = read_samples(augmented_path, "patches", extra=["fold"]), load_fitted(model_path)
        rows_N = np.concatenate([test_rows(table, TEST_FOLD), test_rows(table, VALIDATION_FOLD)])
        if len(rows_N) > _AT_MOST:
            rows_N = np.random.default_rng(seed).choice(rows_N, _AT_MOST, replace=False)
        rows = table.rows.iloc[rows_N]
        xy_N2 = tsne(embed(fitted, table, rows_N), seed)
        predicted = [fitted.classes[index] for index in predict(fitted, table, rows_N).argmax(1)]
        thumbnails_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        labels, identities = rows["label"].to_list(), rows["id"].to_list()
        fragment = tsne_html(xy_N2, labels, predicted, identities, thumbnails_NHW)
        with written_whole(embedding_path) as beside:
            beside.write_text(fragment)
        run.text(tsne_page(fragment), "tsne.html")
        run.metrics({"embedded": len(rows_N)})
