"""Show which classes look alike and which vary, before anything is trained on them."""

import numpy as np

from glassline.data.balanced import draw_per_class
from glassline.data.samples import read_samples
from glassline.data.shards import ShardReader
from glassline.data.storage import written_whole
from glassline.tracking import step_run

_PER_CLASS = 200


def analyse_inputs(augmented_path: str, seed: int, analysis_path: str) -> None:
    """Measure inter-class similarity and intra-class difference of real patches, at most 200 a class.

    Args:
        augmented_path: Table of patches.
        seed: Seed of the draw where a class has more than 200.
        analysis_path: Folder for `classes.parquet` (one row per class), `pairs.parquet` (the hardest pairs) and
            their figures.

    Raises:
        DataError: Patches are of fewer than two classes.
    """
    from glassline.analysis.input_variation import input_variation
    from glassline.report.input_variation import write_input_variation
    from glassline.vision.gradients import gradient_histograms

    with step_run("analyse_inputs", {"seed": seed}) as run:
        table = read_samples(augmented_path, "patches")
        rows = table.rows.iloc[draw_per_class(table, np.arange(len(table.rows)), _PER_CLASS, seed)]
        patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        found = input_variation(rows, gradient_histograms(patch_NHW), table.classes)
        with written_whole(analysis_path) as beside:
            beside.mkdir(parents=True)
            figures = write_input_variation(found, dict(zip(rows["id"], patch_NHW, strict=True)), beside)
        for name, figure in figures.items():
            run.figure(figure, name)
        run.table(found.classes, "classes")
        run.table(found.pairs, "pairs")
        shares = found.classes.set_index("label")["confusable_share"].dropna()
        run.metrics({f"confusable_share_{name}": float(share) for name, share in shares.items()})
        if len(shares):
            run.metrics({"confusable_share": found.confusable_share})
        run.metrics({"analysed": len(rows)})
