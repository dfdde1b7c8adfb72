"""Does Dataonomy's choice of sources help a new product with few labels more than a random one of the same budget?

    python benchmarks/dataonomy.py dagm --data DATA --out runs/dataonomy --draws 5 --threads 1

Target `dagm` or `cfd`; sources are the classes of all other sets. A draw d takes other few labelled images of the
target, another half of them to measure affinity by, other random sources and other seeds of training. Judged on the
same test images: average precision and log loss of patches. Beside the choice: random sources, none. `--gain` measures
what transfer from each source alone is worth, and its rank correlation with affinity. A killed run goes on.
"""

import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import torch
import typer
from scipy import stats
from sklearn.metrics import average_precision_score, log_loss
from transfer_folds import settings_of
from transfer_sets import SETS, patches_of

from glassline.analysis.affinity import Affinity, AffinitySettings, rank_correlation
from glassline.analysis.heads import draw_rows
from glassline.analysis.source_selection import SelectionSettings, select_sources
from glassline.analysis.transfer_arms import random_sources
from glassline.data.samples import SampleTable
from glassline.data.sources import Source, as_two_classes, defective_rows, sources_of
from glassline.data.splits import assign_folds
from glassline.data.storage import written_whole
from glassline.data.store import open_store
from glassline.training.fitted import predict
from glassline.training.settings import TransferSettings
from glassline.training.source_affinity import measured_affinity
from glassline.training.transfer import FittedBase, fine_tune, fit_base, load_base, save_base
from glassline.training.transfer_gain import transfer_loss

FOLDS, SEED = 5, 0
ARMS = ("dataonomy", "random", "none")


def _quiet(epoch: int, values: dict[str, float]) -> None:
    return None


def _untold(done: int, total: int) -> None:
    return None


def _few(table: SampleTable, images: int, seed: int) -> np.ndarray:
    """Return rows of some images of the folds that are not judged, half with a defect where there are both kinds."""
    rows = table.rows[table.rows["fold"] != 0]
    defective = rows.groupby("image")["label"].agg(lambda labels: (labels != table.clean_class).any())
    rng = np.random.default_rng(seed)
    with_defect, without = (rng.permutation(defective.index[defective == flag]) for flag in (True, False))
    half = min(images // 2, len(without))
    drawn = {*without[:half], *with_defect[: images - half]}
    return np.flatnonzero((table.rows["fold"] != 0) & table.rows["image"].isin(drawn))


def _pooled(target: str, sources: list[Source], settings: TransferSettings, out: Path) -> FittedBase:
    """Return the base that gives features: trained once on all sources."""
    folder = out / f"pooled-{target}"
    if not folder.exists():
        base = fit_base(
            sources, settings, SEED, open_store(out / "checkpoints"), lambda *told: print("pooled", *told, flush=True)
        )
        save_base(base, folder)
    return load_base(folder)


def _judged(
    arm: list[Source], target: SampleTable, few_N: np.ndarray, settings: TransferSettings, seed: int, out: Path
) -> dict[str, float]:
    base = fit_base(arm, settings, seed, open_store(out / "checkpoints"), _quiet) if arm else None
    fitted = fine_tune(base, target, few_N, few_N[:0], settings, seed, open_store(out / "checkpoints"), _quiet)
    test_N = np.flatnonzero(target.rows["fold"] == 0)
    clean_N = predict(fitted, target, test_N)[:, target.classes.index(target.clean_class)].astype(float)
    defective_N = defective_rows(target, test_N)
    return {
        "average_precision": float(average_precision_score(defective_N, 1 - clean_N)),
        "log_loss": float(log_loss(defective_N, np.clip(1 - clean_N, 1e-6, 1 - 1e-6))),
    }


def _draw(
    target: str, table: SampleTable, sources: list[Source], base: FittedBase, settings: TransferSettings, draw: int,
    images: int, budget: int, out: Path,
) -> list[dict[str, object]]:  # fmt: skip
    place = out / f"draw-{target}-{images}-{budget}-{draw}.json"
    if place.is_file():
        return list(json.loads(place.read_text()))
    few_N = _few(table, images, draw)
    affinity = measured_affinity(base, sources, table, few_N, AffinitySettings(), draw, _untold)
    samples = {source.name: len(source) for source in sources}
    chosen = select_sources(affinity, list(samples.values()), SelectionSettings(budget=budget))
    names = {"dataonomy": [*chosen.sources], "random": random_sources(samples, budget, draw), "none": []}
    rows = []
    for arm in ARMS:
        of_arm = [source for source in sources if source.name in names[arm]]
        told = _judged(of_arm, table, few_N, settings, draw, out)
        rows.append({"target": target, "draw": draw, "arm": arm, "patches": len(few_N), "sources": names[arm], **told})
        print(rows[-1], flush=True)
    with written_whole(place) as beside:
        beside.write_text(json.dumps(rows))
    return rows


def _gains(
    target: str, table: SampleTable, sources: list[Source], base: FittedBase, settings: TransferSettings, images: int,
    out: Path,
) -> None:  # fmt: skip
    few_N, test_N = _few(table, images, 0), np.flatnonzero(table.rows["fold"] == 0)
    affinity = measured_affinity(base, sources, table, few_N, AffinitySettings(), 0, _untold)
    # Sources of one size: what is asked is which data help, not how much of them there is.
    least = [Source(one.name, one.table, draw_rows(one, 300, SEED)) for one in sources]
    losses = []
    for source in [None, *least]:
        losses.append(transfer_loss(source, table, few_N, test_N, settings, SEED, open_store(out), _quiet))
        print("without" if source is None else source.name, losses[-1], flush=True)
    gain_S = losses[0] - np.array(losses[1:])
    told = Affinity(affinity.sources, affinity.targets, affinity.weight_ST, affinity.consistency_T, gain_S[:, None])
    print(told.to_frame().to_string())
    print(rank_correlation(told, told.gain_ST).to_string(), "CR", affinity.consistency_T)


def main(
    target: Annotated[Literal["dagm", "cfd"], typer.Argument()],
    data: Annotated[Path, typer.Option(help="folder of the public sets")],
    out: Annotated[Path, typer.Option(help="folder for models and results")],
    draws: Annotated[int, typer.Option(min=1)] = 5,
    images: Annotated[int, typer.Option(min=2, help="labelled images of the target")] = 20,
    budget: Annotated[int, typer.Option(min=1, help="samples of the sources")] = 2000,
    network: Annotated[str, typer.Option()] = "timm/resnet10t.c3_in1k",
    gain: Annotated[bool, typer.Option("--gain", help="measure the gain of each source instead")] = False,
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw, choose, train, compare."""
    settings = settings_of(network, threads, base_epochs=3, epochs=8)
    torch.set_num_threads(threads or torch.get_num_threads())
    sources = sources_of([patches_of(name, data, out / "store") for name in SETS if name != target])
    table = assign_folds(as_two_classes(patches_of(target, data, out / "store")), FOLDS, SEED)
    base = _pooled(target, sources, settings.model_copy(update={"base_epochs": 5}), out)
    if gain:
        _gains(target, table, sources, base, settings, images, out)
        return
    rows = [
        row for draw in range(draws) for row in _draw(target, table, sources, base, settings, draw, images, budget, out)
    ]
    told = pd.DataFrame(rows)
    for measure in ("average_precision", "log_loss"):
        by_arm = told.pivot(index="draw", columns="arm", values=measure)
        print(f"\n{measure}\n{by_arm.mean().to_string()}")
        for other in ("random", "none"):
            difference_D = (by_arm["dataonomy"] - by_arm[other]).to_numpy()
            low, high = stats.ttest_1samp(difference_D, 0).confidence_interval()
            print(
                f"dataonomy minus {other}: {difference_D.mean():+.3f} (95 % {low:+.3f} to {high:+.3f}), {draws} draws"
            )


if __name__ == "__main__":
    typer.run(main)
