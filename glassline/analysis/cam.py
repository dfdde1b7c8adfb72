"""Where an image branch looks: class activation maps and their share inside the defect.

Source: system A of the reading, section 4.2 and Fig. 6, after Zhou et al. 2016. The network ends in a
perceptron, not in global average pooling: activations are weighted by their gradient place by place (HiResCAM,
Draelos and Carin 2020). Weights averaged over places, as Grad-CAM has them, lit the background here.
Shapes: B patches, H x W pixels, M metadata values.
"""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from pytorch_grad_cam import HiResCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn

from glassline.errors import ModelError
from glassline.training.fitted import Fitted


class _PatchOnly(nn.Module):
    """A model with its metadata held fixed: the map explains the patch."""

    def __init__(self, model: nn.Module, metadata_BM: Tensor) -> None:
        super().__init__()
        self.model, self.metadata_BM = model, metadata_BM

    def forward(self, patch_B1HW: Tensor) -> Tensor:
        return cast(Tensor, self.model(patch_B1HW.squeeze(1), self.metadata_BM))


def has_image_branch(fitted: Fitted) -> bool:
    """Tell whether a model looks at the patch by convolutions whose activations can be mapped."""
    return hasattr(getattr(fitted.model, "image", None), "last_convolution")


def activation_maps(
    fitted: Fitted, patch_BHW: npt.NDArray[np.uint8], metadata_BM: npt.NDArray[np.float32], class_B: list[int]
) -> npt.NDArray[np.float32]:
    """Return one map per patch for the class asked for.

    Args:
        fitted: A model with an image branch.
        patch_BHW: Grey patches, 0 to 255.
        metadata_BM: Metadata in the model's column order, NaN where unknown.
        class_B: Class index to explain, one per patch.

    Returns:
        (B, H, W) in [0, 1], each map stretched from its own minimum to its own maximum; all 0 where nothing
        speaks for the class.

    Raises:
        ModelError: The model has no image branch.
    """
    branch = getattr(fitted.model, "image", None)
    if branch is None:
        raise ModelError(
            f"a class activation map needs an image branch, {fitted.name} has none; explain cnn or ensemble_*"
        )
    device = next(fitted.model.parameters()).device
    wrapped = _PatchOnly(fitted.model, torch.from_numpy(metadata_BM).to(device)).eval()
    with HiResCAM(model=wrapped, target_layers=[branch.last_convolution]) as cam:
        maps_BHW = cam(
            torch.from_numpy(patch_BHW).float().unsqueeze(1).to(device),
            [ClassifierOutputTarget(index) for index in class_B],
        )
    return np.asarray(maps_BHW, np.float32)


def energy_inside(cams_BHW: npt.NDArray[np.float32], masks_BHW: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the share of each map's energy inside its mask (B,), in [0, 1]; 0 for a map without energy."""
    total_B = cams_BHW.sum(axis=(1, 2), dtype=np.float64)
    inside_B = (cams_BHW * masks_BHW).sum(axis=(1, 2), dtype=np.float64)
    share_B = np.divide(inside_B, total_B, out=np.zeros_like(total_B), where=total_B > 0)
    return cast("npt.NDArray[np.float64]", share_B)


def looks_elsewhere(cams_BHW: npt.NDArray[np.float32], masks_BHW: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which maps hold less energy inside the mask than an even map would (B,)."""
    return np.asarray(energy_inside(cams_BHW, masks_BHW) < masks_BHW.mean(axis=(1, 2)))
