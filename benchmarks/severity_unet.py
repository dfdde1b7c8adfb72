"""A plain U-Net in the detector's place: what severity is compared with, trained on the masks alone.

As in the comparators' protocol: segmentation-models-pytorch's U-Net on a ResNet-18, grey, 256 px crops (70 % on a
defect), flips, quarter turns, brightness, BCE + Dice, AdamW 1e-3 one-cycle, batches of 8.
Shapes: B crops, H x W pixels, R x C cells.
"""

from pathlib import Path

import lightning
import numpy as np
import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from glassline.data.store import open_store
from glassline.training.history import History
from glassline.training.severity_stream import as_input
from glassline.training.trainer import run_trainer
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.cell_tiles import RunDetector
from glassline.vision.severity import LARGEST

_EDGE_PX, _BATCH, _ON_DEFECT = 256, 8, 0.7


class _Crops(Dataset[tuple[Tensor, Tensor]]):
    """Crops with their masks; a new draw for every place of the whole fit."""

    def __init__(self, images: AnnotatedImages, chosen: list[int], epochs: int, seed: int) -> None:
        self._drawn = [(images.pixels(number), images.annotated(number).mask_HW) for number in chosen]
        self._length, self._seed = len(chosen) * epochs, seed

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng([self._seed, place])
        grey_HW, mask_HW = self._drawn[place % len(self._drawn)]
        y, x = (int(rng.integers(size - _EDGE_PX + 1)) for size in grey_HW.shape)
        if mask_HW.any() and rng.random() < _ON_DEFECT:
            row_N, column_N = np.nonzero(mask_HW)
            pixel = int(rng.integers(len(row_N)))
            y, x = (
                int(np.clip(at[pixel] - rng.integers(_EDGE_PX), 0, size - _EDGE_PX))
                for at, size in ((row_N, grey_HW.shape[0]), (column_N, grey_HW.shape[1]))
            )
        here = np.s_[y : y + _EDGE_PX, x : x + _EDGE_PX]
        quarters, mirrored, light = int(rng.integers(4)), bool(rng.integers(2)), rng.uniform(-20, 20)
        pair = [np.rot90(part[here], quarters) for part in (grey_HW, mask_HW)]
        grey, mask = [np.fliplr(part) for part in pair] if mirrored else pair
        lit = np.clip(grey.astype(np.float32) + light, 0, 255).astype(np.uint8)
        return as_input(lit[None])[0], torch.from_numpy(np.ascontiguousarray(mask)).float()


class _Task(lightning.LightningModule):
    """BCE + Dice under AdamW, one cycle."""

    def __init__(self, model: nn.Module, steps: int) -> None:
        super().__init__()
        self.model, self.steps = model.to(memory_format=torch.channels_last), steps
        self.dice = smp.losses.DiceLoss("binary")

    def training_step(self, batch: list[Tensor], batch_index: int) -> Tensor:
        logits_BHW = self.model(batch[0].contiguous(memory_format=torch.channels_last))[:, 0].float()
        loss = functional.binary_cross_entropy_with_logits(logits_BHW, batch[1])
        loss = loss + self.dice(logits_BHW[:, None], batch[1][:, None])
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch[1]))
        return loss

    def configure_optimizers(self):
        optimiser = torch.optim.AdamW(self.parameters(), 1e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=self.steps)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _network() -> nn.Module:
    return smp.Unet("resnet18", encoder_weights=None, in_channels=1, classes=1)


def fit_unet(images: AnnotatedImages, train: list[int], epochs: int, seed: int, path: Path, checkpoints: Path) -> None:
    """Train on some images and keep the weights, unless they are there."""
    from safetensors.torch import save_file

    if path.exists():
        return
    lightning.seed_everything(seed, workers=True, verbose=False)
    crops = _Crops(images, train, epochs, seed)
    task = _Task(_network(), len(crops) // _BATCH)
    batches = DataLoader(crops, _BATCH, drop_last=True)
    run_trainer(
        task,
        batches,
        None,
        1,
        "bf16-mixed",
        open_store(checkpoints),
        History(lambda epoch, values: print("U-Net", values)),
    )
    save_file({name: value.contiguous() for name, value in task.model.cpu().state_dict().items()}, path)


def run_unet(path: Path, cell_px: int) -> RunDetector:
    """Return what gives each cell the mean probability of its pixels, times 12."""
    from safetensors.torch import load_file

    model = _network()
    model.load_state_dict(load_file(path))
    model.eval()

    def run(images: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            probability_B1HW = model(as_input(images)).sigmoid()
        return (LARGEST * functional.avg_pool2d(probability_B1HW, cell_px)[:, 0]).numpy()

    return run
