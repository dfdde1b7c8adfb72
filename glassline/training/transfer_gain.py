"""What transfer from a source is really worth to a target: train the whole way, with it and without it.

Shapes: N rows of a table, C classes.
"""

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassline.data.samples import SampleTable
from glassline.data.sources import Source, defective_rows, product_of
from glassline.data.storage import code_hash, content_key
from glassline.data.store import Store
from glassline.training.history import EpochHook

if TYPE_CHECKING:
    from glassline.training.settings import TransferSettings

Rows = npt.NDArray[np.intp]

# A network is never surer than this of a sample it judges: one sample alone would decide the mean.
_LEAST = 1e-6


def with_contrast(source: Source) -> list[Source]:
    """Return what a base is retrained on to learn a source: classes that can be told apart.

    A source of one class of defects is told apart from the clean class of its table. A clean class alone teaches
    nothing, and neither does the one class of a table without a clean one.

    Returns:
        The source, with the clean class of its table where it needs one; nothing where it cannot be learned.
    """
    labels_N = source.table.rows["label"].to_numpy()
    if len(set(labels_N[source.rows_N])) > 1:
        return [source]
    clean = source.table.clean_class
    clean_N = np.flatnonzero(labels_N == clean) if clean else source.rows_N[:0]
    if not len(clean_N) or not source.defective_N.any():
        return []
    return [source, Source(f"{product_of(source.table)}/{clean}", source.table, clean_N)]


def transfer_loss(
    source: Source | None, target: SampleTable, train_N: Rows, held_N: Rows, settings: "TransferSettings", seed: int,
    store: Store, on_epoch: EpochHook,
) -> float:  # fmt: skip
    """Return the mean log loss, clean against defective, of held-out rows after transfer from a source.

    A base is retrained on the source, then fine-tuned on the target. What a killed try measured is read from the store.

    Args:
        source: What to transfer from; None starts from the weights that settings name. See `with_contrast` for those
            of one class.
        target: Table of patches with a clean class.
        train_N: Row positions of the target to fine-tune on.
        held_N: Row positions to judge by.
        settings: How.
        seed: Seed of both fits.
        store: Where checkpoints and finished measurements go.
        on_epoch: Called after every epoch of both.

    Returns:
        The loss; NaN where the source cannot be learned alone.
    """
    from glassline.training.fitted import predict
    from glassline.training.transfer import fine_tune, fit_base

    learned = [] if source is None else with_contrast(source)
    if source is not None and not learned:
        return float("nan")
    name = f"gains/{_key(learned, target, train_N, held_N, settings, seed)}.json"
    if store.found(name) is None:
        checkpoints = store.below("checkpoints")
        base = fit_base(learned, settings, seed, checkpoints, on_epoch) if learned else None
        fitted = fine_tune(base, target, train_N, train_N[:0], settings, seed, checkpoints, on_epoch)
        loss = _log_loss(predict(fitted, target, held_N), target, held_N)
        with store.keep(name) as beside:
            beside.write_text(json.dumps(loss))
    return float(json.loads(store.file(name).read_text()))


def _log_loss(probability_NC: npt.NDArray[np.float32], target: SampleTable, held_N: Rows) -> float:
    """Return the mean log loss of clean against defective."""
    index = target.classes.index(target.clean_class)
    defective_N = np.delete(probability_NC.astype(np.float64), index, axis=1).sum(axis=1)
    right_N = np.where(defective_rows(target, held_N), defective_N, probability_NC[:, index])
    return float(-np.log(right_N.clip(_LEAST, 1)).mean())


def _key(
    learned: list[Source], target: SampleTable, train_N: Rows, held_N: Rows, settings: "TransferSettings", seed: int
) -> str:
    """Name a measurement by all that decides it."""
    of_rows = [hashlib.sha256(np.asarray(rows_N, np.int64).tobytes()).hexdigest() for rows_N in (
        train_N, held_N, *(one.rows_N for one in learned))]  # fmt: skip
    tables = [target.content_hash(), *(one.table.content_hash() for one in learned)]
    what = [of_rows, tables, settings.model_dump(), seed, code_hash("models", "training", "data")]
    return content_key(what)
