"""What most classifiers are trained on: cross-entropy of their logits.

Shapes: B rows of a batch, C classes.
"""

from torch import Tensor, nn
from torch.nn import functional
from torchmetrics.classification import MulticlassF1Score

from glassline.models.ensemble import StackingEnsemble
from glassline.training.data import Batch
from glassline.training.settings import TrainingSettings
from glassline.training.sharing import of_whole_batch
from glassline.training.task import Task


class ClassifierTask(Task):
    """Weighted cross-entropy on logits."""

    weight_C: Tensor

    def __init__(self, model: nn.Module, weight_C: Tensor, settings: TrainingSettings, steps: int, seed: int) -> None:
        """Wrap a model; see `Task`. Classes weigh `weight_C` (C,)."""
        super().__init__(model, settings, steps, seed)
        self.register_buffer("weight_C", weight_C)
        self.val_macro_f1 = MulticlassF1Score(len(weight_C), average="macro")

    def loss(self, logits_BC: Tensor, label_B: Tensor, weight_C: Tensor) -> Tensor:
        """Return the weighted mean, which on several processes averages to that of the whole batch."""
        mean = functional.cross_entropy(logits_BC, label_B, weight=weight_C)
        return of_whole_batch(mean, weight_C[label_B].sum())

    def _loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        patch_BHW, metadata_BM, label_B = batch["patch_BHW"].float(), batch["metadata_BM"], batch["label_B"]
        if isinstance(self.model, StackingEnsemble):
            # Each branch learns alone; the stack is fitted afterwards on rows that neither has seen.
            image_BC, metadata_BC = self.model.opinions(patch_BHW, metadata_BM)
            losses = [self.loss(one_BC, label_B, self.weight_C) for one_BC in (image_BC, metadata_BC)]
            return losses[0] + losses[1], image_BC + metadata_BC
        logits_BC = self.model(patch_BHW, metadata_BM)
        return self.loss(logits_BC, label_B, self.weight_C), logits_BC

    def training_step(self, batch: Batch, batch_index: int) -> Tensor:
        """Return the loss of one batch."""
        loss, _ = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["label_B"]), sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, batch_index: int) -> None:
        """Log loss and accuracy of one batch, and count it for the macro F1 of the epoch."""
        loss, logits_BC = self._loss(batch)
        accuracy = (logits_BC.argmax(1) == batch["label_B"]).float().mean()
        size = len(batch["label_B"])
        self.log_dict({"val_loss": loss, "val_accuracy": accuracy}, batch_size=size, sync_dist=True)
        self.val_macro_f1.update(logits_BC, batch["label_B"])
        self.log("val_macro_f1", self.val_macro_f1)
