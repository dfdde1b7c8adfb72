"""Run a classifier of patches as a heat map wants it: how likely each is defective, of whatever type.

Shapes: B patches, H x W pixels, M metadata values.
"""

import numpy as np
import torch
from torch import Tensor

from glassline.errors import ModelError
from glassline.training.fitted import Fitted
from glassline.vision.annotated_images import Image
from glassline.vision.heat_map import Classify, Real


def clean_index(fitted: Fitted) -> int:
    """Return the place of the clean class among a model's outputs.

    Raises:
        ModelError: It was trained without one.
    """
    if not fitted.clean_class:
        raise ModelError(
            f"a heat map needs a classifier that knows patches without a defect, got {fitted.name} trained without a "
            "clean class; name it at the import, or cut patches where masks say what is clean"
        )
    return fitted.classes.index(fitted.clean_class)


def model_inputs(fitted: Fitted, patch_BHW: Image) -> tuple[Tensor, Tensor]:
    """Return patches and metadata, of which nothing is known, on the model's device."""
    device = next(fitted.model.parameters()).device
    unknown_BM = torch.full((len(patch_BHW), len(fitted.attributes)), torch.nan, device=device)
    return torch.from_numpy(np.ascontiguousarray(patch_BHW)).to(device).float(), unknown_BM


def run_defective(fitted: Fitted) -> Classify:
    """Return what tells the probability (B,) that patches (B, 112, 112) are defective; on the GPU where there is one.

    Raises:
        ModelError: The model knows no clean class.
    """
    clean = clean_index(fitted)
    model = fitted.model.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    def run(patch_BHW: Image) -> Real:
        with torch.inference_mode():
            clean_B = model(*model_inputs(fitted, patch_BHW)).float().softmax(1)[:, clean]
        return np.asarray(1 - clean_B.cpu().numpy(), np.float32)

    return run
