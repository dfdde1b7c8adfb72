"""Measure how much each source helps a new product."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassline.analysis.affinity import Affinity, AffinitySettings, rank_correlation
from glassline.analysis.target_split import Rows, sources_for, split_target
from glassline.data.samples import SampleTable, read_samples
from glassline.data.sources import Source, sources_of
from glassline.data.storage import folder_hash, written_whole
from glassline.data.store import Store, open_store
from glassline.steps.train_ensemble import training_rows
from glassline.tracking import StepRun, step_run

if TYPE_CHECKING:
    from glassline.training.settings import TransferSettings
    from glassline.training.transfer import FittedBase

#: Files of the affinity's folder: affinities, samples of each source, figures.
AFFINITY, SAMPLES, FIGURE, GAIN_FIGURE = "affinity.json", "samples.json", "affinity.png", "gain.png"


def measure_affinity(
    sources_paths: Sequence[str], target_path: str, hashes: Sequence[str], affinity: Mapping[str, Any],
    transfer: Mapping[str, Any], seed: int, store: str, affinity_path: str, base_path: str,
) -> str:  # fmt: skip
    """Measure the affinity of each source for a target and return a hash of it and of what it was measured on.

    The base network gives the features that heads read. It has its pretrained weights; where there are none it is first
    trained on all sources together, since features of random weights tell nothing. Test and validation folds of the
    target are not looked at.

    Args:
        sources_paths: Tables of patches, one per product; the target's own product is no source.
        target_path: Table of patches with folds.
        hashes: Content hashes of the tables, and what else names the data; results of other data are not taken from a
            cache, nor those of the steps that follow.
        affinity: Fields of `AffinitySettings`.
        transfer: Fields of `TransferSettings`.
        seed: Seed of the split, the draws and the fits.
        store: Folder or S3 URL for checkpoints and measured gains.
        affinity_path: Folder for `affinity.json`, `samples.json` (samples of each source) and figures.
        base_path: Folder of the base network.

    Raises:
        DataError: The target has no folds, no clean class, only clean or only defective patches, or too few groups;
            there is no source of another product; or comparisons contradict each other.
        ModelError: The loss left the finite numbers.
    """
    from glassline.report.affinity import affinity_figure, gain_figure
    from glassline.report.figures import save_figure
    from glassline.training.settings import TransferSettings
    from glassline.training.source_affinity import measured_affinity
    from glassline.training.transfer import save_base

    params = {"affinity": dict(affinity), "transfer": dict(transfer), "seed": seed}
    with step_run("measure_affinity", params) as run:
        settings, how = AffinitySettings.parse(affinity), TransferSettings.parse(transfer)
        target = read_samples(target_path, "patches", extra=["fold"])
        tables = [read_samples(path, "patches") for path in sources_paths]
        sources = sources_for(target, sources_of(tables, settings.by))
        split = split_target(target, training_rows(target), settings.held_share, seed)
        base = feature_base(run, sources, how, seed, open_store(store))
        save_base(base, base_path)
        found = measured_affinity(
            base, sources, target, training_rows(target), settings, seed,
            lambda done, total: run.progress(done, total, "sources compared"),
        )  # fmt: skip
        if settings.measure_gain:
            found = _with_gain(run, found, sources, target, split, how, seed, open_store(store))
        figures = {FIGURE: affinity_figure(found)}
        if settings.measure_gain:
            figures[GAIN_FIGURE] = gain_figure(found)
        with written_whole(affinity_path) as beside:
            beside.mkdir(parents=True)
            found.write(beside / AFFINITY)
            (beside / SAMPLES).write_text(json.dumps({one.name: len(one) for one in sources}, indent=1))
            for name, figure in figures.items():
                save_figure(figure, beside / name)
                run.figure(figure, Path(name).stem)
        run.table(found.to_frame(), "affinity")
        run.metrics({
            "sources": len(sources), "consistency_ratio": float(found.consistency_T[0]),
            "patches_fitted": len(split[0]), "patches_held_out": len(split[1]),
        })  # fmt: skip
        return hashlib.sha256(json.dumps([*hashes, folder_hash(affinity_path)]).encode()).hexdigest()


def feature_base(
    run: StepRun, sources: Sequence[Source], settings: "TransferSettings", seed: int, store: Store
) -> "FittedBase":
    """Return the network that gives features."""
    from glassline.training.starting_weights import RANDOM
    from glassline.training.transfer import kept_base, starting_base

    base = starting_base(settings, seed)
    if not base.weights.startswith(RANDOM):
        return base
    run.note(
        f"the base network has no pretrained weights: it is first trained on all {len(sources)} sources together, "
        f"{sum(map(len, sources))} patches"
    )
    return kept_base(sources, settings, seed, store, lambda epoch, values: run.metrics(values, step=epoch))


def _with_gain(
    run: StepRun, affinity: Affinity, sources: Sequence[Source], target: SampleTable, split: tuple[Rows, Rows],
    settings: "TransferSettings", seed: int, store: Store,
) -> Affinity:  # fmt: skip
    """Return affinities with the gain of transfer from each source alone, and log how well both agree."""
    from glassline.training.transfer_gain import transfer_loss

    losses = []
    for done, source in enumerate([None, *sources]):
        losses.append(transfer_loss(source, target, *split, settings, seed, store, lambda *told: None))
        run.progress(done, len(sources), "sources transferred from")
    gain_S = losses[0] - np.array(losses[1:])
    run.metrics({"log_loss_without_source": losses[0]})
    unlearned = [source.name for source, gain in zip(sources, gain_S, strict=True) if np.isnan(gain)]
    if unlearned:
        run.note(f"no gain is measured of sources that cannot be learned alone, such as a clean class: {unlearned}")
    found = replace(affinity, gain_ST=gain_S[:, None])
    correlation = rank_correlation(found, found.gain_ST)
    run.table(correlation, "rank_correlation")
    if np.isfinite(spearman := float(correlation["spearman"].iloc[0])):
        run.metrics({"spearman": spearman})
    else:
        run.note("affinity and gain have no rank correlation: it takes 3 sources of different gain")
    return found
