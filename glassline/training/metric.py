"""Train a latent space by distances: triplets and pairs drawn from batches, then the references that name classes.

Source: system B of the reading, section 3.2, eq. 1 and 4: 450 A-P and 450 A-N pairs a batch, "batch-random". Mining,
distances and the triplet loss are pytorch-metric-learning's.
Shapes: B rows of a batch, E numbers of an embedding, T triplets, N rows, C classes.
"""

from collections.abc import Sequence

import lightning
import numpy as np
import numpy.typing as npt
import torch
from lightning.pytorch.callbacks import Callback
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.utils.loss_and_miner_utils import get_random_triplet_indices
from torch import Tensor
from torch.nn import functional
from torchmetrics.classification import MulticlassF1Score

from glassline.data.balanced import draw_per_class
from glassline.data.samples import SampleTable
from glassline.data.splits import is_real
from glassline.data.store import Store
from glassline.errors import DataError
from glassline.models.triplet import EmbeddingNetwork, SiameseNetwork
from glassline.training.data import Batch, PatchDataset, batches, label_indices
from glassline.training.failed_fit import FailedFitError
from glassline.training.history import History
from glassline.training.logistic import fit_logistic
from glassline.training.settings import TrainingSettings
from glassline.training.sharing import whole_batch
from glassline.training.task import Task
from glassline.training.trainer import forget

Triplets = tuple[Tensor, Tensor, Tensor]

# Deviation of an embedding's numbers over a batch, in units of the sigmoid: under it all patches are one point.
_LEAST_SPREAD = 1e-4
_SPREAD = "embedding_spread"


class MetricTask(Task):
    """Triplet margin loss, or cross-entropy of "one class" for the Siamese network."""

    model: EmbeddingNetwork
    draws_alike = True

    def __init__(self, model: EmbeddingNetwork, settings: TrainingSettings, steps: int, seed: int) -> None:
        """Wrap a model; see `Task`."""
        super().__init__(model, settings, steps, seed)
        chosen = settings.metric
        if settings.embedding.distance == "cosine":
            self.distance = CosineSimilarity()
        else:
            self.distance = LpDistance(normalize_embeddings=False, p=2, power=2 if chosen.squared else 1)
        self.loss = TripletMarginLoss(chosen.margin, distance=self.distance, reducer=MeanReducer())
        kind = {"semi_hard": "semihard", "hard": "hard"}.get(chosen.mining)
        self.miner = TripletMarginMiner(chosen.margin, kind, distance=self.distance) if kind else None
        self.val_macro_f1 = MulticlassF1Score(model.classes, average="macro")

    def _triplets(self, embedding_BE: Tensor, label_B: Tensor) -> Triplets:
        """Return at most `pairs` triplets (T,) of anchor, positive and negative positions in the batch."""
        if self.miner is None:
            return self._drawn(label_B)
        return self._kept(self.miner(embedding_BE.detach(), label_B))

    def _drawn(self, label_B: Tensor) -> Triplets:
        per_anchor = -(-self.settings.metric.pairs // len(label_B))
        return self._kept(get_random_triplet_indices(label_B, t_per_anchor=per_anchor))

    def _kept(self, found: Triplets) -> Triplets:
        kept_T = torch.randperm(len(found[0]), device=found[0].device)[: self.settings.metric.pairs]
        return found[0][kept_T], found[1][kept_T], found[2][kept_T]

    def _embedded(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return embeddings (B, E) and labels (B,), of the whole batch in every process: shares have other triplets."""
        embedding_BE = self.model.embed(batch["patch_BHW"].float(), batch["metadata_BM"])
        return whole_batch(embedding_BE), whole_batch(batch["label_B"])

    def _losses(self, embedding_BE: Tensor, label_B: Tensor) -> dict[str, Tensor]:
        """Return the loss, the share of triplets that still teach something, and the spread of the embeddings."""
        anchor_T, positive_T, negative_T = triplets = self._triplets(embedding_BE, label_B)
        told = {_SPREAD: embedding_BE.detach().std(0, correction=0).mean()}
        if isinstance(self.model, SiameseNetwork):
            logits = [self.model.same(embedding_BE[anchor_T], embedding_BE[one]) for one in (positive_T, negative_T)]
            target = torch.cat([torch.ones_like(logits[0]), torch.zeros_like(logits[1])])
            wrong_T = (logits[0] < 0) | (logits[1] > 0)
            loss = functional.binary_cross_entropy_with_logits(torch.cat(logits), target, reduction="sum")
            return {**told, "loss": loss / max(len(target), 1), "nonzero_triplets": _share(wrong_T)}
        # Of triplets as they are met: mined ones would tell what mining looked for.
        anchor_T, positive_T, negative_T = triplets if self.miner is None else self._drawn(label_B)
        apart_BB = self.distance(embedding_BE.detach())
        violation_T = self.distance.margin(apart_BB[anchor_T, positive_T], apart_BB[anchor_T, negative_T])
        loss = self.loss(embedding_BE, label_B, triplets)
        return {**told, "loss": loss, "nonzero_triplets": _share(violation_T + self.settings.metric.margin > 0)}

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        told, size = self._losses(*self._embedded(batch)), len(batch["label_B"])
        named = {"train_loss": told["loss"], "nonzero_triplets": told["nonzero_triplets"], _SPREAD: told[_SPREAD]}
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=size, sync_dist=True)
        return told["loss"]

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log the loss of one batch; the macro F1 of the epoch is that of each patch's nearest one in its batch."""
        embedding_BE, label_B = self._embedded(batch)
        loss = self._losses(embedding_BE, label_B)["loss"]
        self.log("val_loss", loss, batch_size=len(batch["label_B"]), sync_dist=True)
        if len(label_B) > 1:  # one alone has no neighbour
            apart_BB = self.model.distance(embedding_BE, embedding_BE).fill_diagonal_(torch.inf)
            self.val_macro_f1.update(label_B[apart_BB.argmin(1)], label_B)
            self.log("val_macro_f1", self.val_macro_f1)


def _share(flag_T: Tensor) -> Tensor:
    return flag_T.float().mean().nan_to_num()  # of a batch without triplets: 0


class StopOnCollapse(Callback):
    """End a fit whose embeddings have become one point."""

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Look at the spread of the epoch."""
        if not float(trainer.callback_metrics[_SPREAD]) >= _LEAST_SPREAD:
            trainer.should_stop = True


def check_spread(history: History, kept: Store) -> None:
    """Refuse a fit that collapsed, and forget its checkpoints.

    Raises:
        FailedFitError: All embeddings of the last epoch were equal.
    """
    last = history.records[-1]
    if not last[_SPREAD] >= _LEAST_SPREAD:
        forget(kept)  # or the next try would resume from there
        raise FailedFitError(
            f"embeddings must differ between patches, got a deviation of {last[_SPREAD]:.1e} in epoch "
            f"{last['epoch']:.0f}: the network has collapsed to one point; lower training.learning_rate, set "
            "training.metric.mining to batch_random, or check that patches and labels differ"
        )


@torch.no_grad()
def fit_references(
    model: EmbeddingNetwork, table: SampleTable, train_N: npt.NDArray[np.intp], met_N: npt.NDArray[np.intp],
    attributes: Sequence[str], settings: TrainingSettings, seed: int,
) -> None:  # fmt: skip
    """Draw the references from training rows, augmented copies left out, and fit the linear head on them.

    Every class has as many as settings allow, so that a common class does not outvote a rare one; how often each is met
    is its prior, as `class_weights` weighs it.

    Args:
        model: The trained network; changed in place.
        table: Table of patches.
        train_N: Row positions that were trained on.
        met_N: Row positions before clean ones were left out.
        attributes: Metadata columns in the model's order.
        settings: Its `class_weights`.
        seed: Seed of the draw.
    """
    met_C = np.bincount(label_indices(table, met_N[is_real(table)[met_N]]), minlength=model.classes)
    prior_C = np.where(met_C > 0, met_C.clip(min=1) ** (1 - settings.weight_power), 0)
    model.log_prior_C = torch.tensor(prior_C / prior_C.sum(), dtype=torch.float32).clamp(min=1e-6).log()
    drawn_N = draw_per_class(table, train_N, model.settings.references, seed)
    references = PatchDataset(table, drawn_N, attributes)
    model.eval()
    parts = [model.embed(batch["patch_BHW"].float(), batch["metadata_BM"]) for batch in batches(references, 256, 0)]
    model.refer(torch.cat(parts), torch.tensor(references.labels_N))
    if model.settings.head == "linear":
        fit_logistic(model.last, model.reference_RE, references.labels_N, even=True)


def check_pairs(table: SampleTable, train_N: npt.NDArray[np.intp]) -> None:
    """Refuse training rows in which a class has no pair of its own.

    Raises:
        DataError: A class has one real sample; names it.
    """
    alone = lone_classes(table, train_N)
    if alone:
        raise DataError(
            f"distances need at least two samples of each class to train on, got one of {alone}; add samples, or train "
            "without the class and enrol it afterwards"
        )


def lone_classes(table: SampleTable, train_N: npt.NDArray[np.intp]) -> list[str]:
    """Return the classes that have a single real sample among training rows: it has no pair."""
    counts = table.rows["label"].iloc[train_N[is_real(table)[train_N]]].value_counts()
    return sorted(map(str, counts.index[counts == 1]))
