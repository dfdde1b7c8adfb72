"""What networks see: t-SNE of a layer, activation maps, and what one network gets wrong in the space of another."""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassline.analysis.embedding import embed_tsne
from glassline.bench.measured import Bench, Measured
from glassline.bench.measures.patches import split_patches, training, with_copies
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows, train_rows
from glassline.report.style import colours, new_figure, tidy
from glassline.training.fitted import Fitted, embed, predict
from glassline.training.loop import fit_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FOLD, _NEIGHBOURS = 0, 10
_EMBEDDED = (120, 600, 1000)


def tsne(bench: Bench) -> Measured:
    """Measure how many neighbours in the t-SNE of feature fusion are of a sample's class."""
    table = with_copies(split_patches(bench), bench)
    fitted, rows_N = _fitted(bench, table, "ensemble_fusion"), _held_out(bench, table)
    labels_N, xy_N2 = table.rows["label"].iloc[rows_N].to_numpy(), embed_tsne(embed(fitted, table, rows_N), bench.seed)
    values = {"same class": _same_class(xy_N2, labels_N), "by chance": _by_chance(labels_N), "samples": len(rows_N)}
    return Measured(values, figure=_scatter(xy_N2, labels_N, np.zeros(len(rows_N), np.bool_), "feature fusion"))


def cam(bench: Bench) -> Measured:
    """Measure the share of the maps' energy inside defects, times that of an even map, by class."""
    from glassline.analysis.cam import activation_maps, energy_inside

    table = with_copies(split_patches(bench), bench)
    fitted, rows_N = _fitted(bench, table, "ensemble_fusion"), _held_out(bench, table)
    rows = table.rows.iloc[rows_N]
    mask_NHW = ShardReader(table.root, "mask").read(rows["shard"], rows["row"]) > 0
    defect_N = (rows["label"] != fitted.clean_class).to_numpy() & mask_NHW.any(axis=(1, 2))
    rows, mask_NHW = rows[defect_N], mask_NHW[defect_N]
    patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
    metadata_NM = rows[list(fitted.attributes)].to_numpy(np.float32, copy=True)
    decided_N = predict(fitted, table, rows_N[defect_N]).argmax(axis=1)
    map_NHW = activation_maps(fitted, patch_NHW, metadata_NM, decided_N.tolist())
    times_N = energy_inside(map_NHW, mask_NHW) / mask_NHW.mean(axis=(1, 2))
    values = {str(name): float(times_N[rows["label"] == name].mean()) for name in rows["label"].unique()}
    return Measured({**values, "looks elsewhere": float((times_N < 1).mean()), "defects": len(rows)})


def tracked(bench: Bench) -> Measured:
    """Measure how many of the vanilla CNN's errors the triplet network gets right, and lay them out."""
    table = with_copies(split_patches(bench), bench)
    rows_N = _held_out(bench, table)
    labels_N = table.rows["label"].iloc[rows_N].to_numpy()
    cnn, triplet = (_fitted(bench, table, name) for name in ("cnn", "triplet"))
    wrong_N, right_N = _decided(cnn, table, rows_N) != labels_N, _decided(triplet, table, rows_N) == labels_N
    values = {
        "wrong in A": float(wrong_N.sum()), "of these right in B": float((wrong_N & right_N).sum()),
        "right in B": float(right_N.mean()), "right in A": float((~wrong_N).mean()), "samples": len(rows_N),
    }  # fmt: skip
    if wrong_N.any():
        values["share right in B"] = values["of these right in B"] / values["wrong in A"]
    xy_N2 = embed_tsne(embed(triplet, table, rows_N), bench.seed)
    return Measured(values, figure=_scatter(xy_N2, labels_N, wrong_N, "triplet; ringed: what the CNN gets wrong"))


def _fitted(bench: Bench, table: SampleTable, name: str) -> Fitted:
    train_N, none_N = train_rows(table, _FOLD), np.array([], np.intp)
    return fit_model(
        name, table, train_N, none_N, training(bench), bench.seed, bench.store.below("checkpoints"), lambda *told: None
    )


def _held_out(bench: Bench, table: SampleTable) -> npt.NDArray[np.intp]:
    rows_N = test_rows(table, _FOLD)
    most = bench.sized(*_EMBEDDED)
    return (
        rows_N
        if len(rows_N) <= most
        else np.sort(np.random.default_rng(bench.seed).choice(rows_N, most, replace=False))
    )


def _decided(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.str_]:
    return np.array([fitted.classes[index] for index in predict(fitted, table, rows_N).argmax(axis=1)])


def _same_class(xy_N2: npt.NDArray[np.float32], labels_N: npt.NDArray[np.object_]) -> float:
    distance_NN = np.linalg.norm(xy_N2[:, None] - xy_N2, axis=2)
    np.fill_diagonal(distance_NN, np.inf)
    near_NK = np.argsort(distance_NN, axis=1)[:, :_NEIGHBOURS]
    return float((labels_N[near_NK] == labels_N[:, None]).mean())


def _by_chance(labels_N: npt.NDArray[np.object_]) -> float:
    shares = np.unique(labels_N, return_counts=True)[1] / len(labels_N)
    return float((shares**2).sum())


def _scatter(
    xy_N2: npt.NDArray[np.float32], labels_N: npt.NDArray[np.object_], ringed_N: npt.NDArray[np.bool_], title: str
) -> "Figure":
    figure = new_figure(6.4, 5)
    axes, tint = figure.subplots(), colours(sorted(set(labels_N)))
    for name, colour in tint.items():
        axes.scatter(xy_N2[labels_N == name, 0], xy_N2[labels_N == name, 1], s=14, color=colour, label=name)
    axes.scatter(xy_N2[ringed_N, 0], xy_N2[ringed_N, 1], s=60, facecolors="none", edgecolors="black", linewidths=0.8)
    tidy(axes, title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.legend(fontsize=8.5, frameon=False)
    return figure
