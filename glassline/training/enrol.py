"""A new class from a few images without training, and the answer `unknown` where no reference is near.

The latent space stays as it is; the new images become references. Source: system B of the reading asks for a model that
is usable with few images; enrolment by references after Snell 2017 (prototypes), rejection by the distance of the
nearest reference.
Shapes: K images of the new class, N rows, H x W pixels, M metadata values.
"""

import copy
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from glassline.data.samples import SampleTable
from glassline.errors import DataError, ModelError
from glassline.models.triplet import EmbeddingNetwork
from glassline.training.fitted import Fitted, embed

#: What a sample is called that no reference is near to.
UNKNOWN = "unknown"


@torch.no_grad()
def enrol(fitted: Fitted, label: str, patch_KHW: npt.NDArray[np.uint8], metadata_KM: npt.NDArray[np.float32]) -> Fitted:
    """Return a model that knows one class more.

    Args:
        fitted: A triplet or Siamese network with the head `knn` or `centroid`; it is left as it is.
        label: Name of the new class.
        patch_KHW: Its images, grey levels 0 to 255.
        metadata_KM: Their metadata in the model's column order, NaN where unknown.

    Raises:
        DataError: There is no image, or the class is known already.
        ModelError: The model has no references, or a head that would have to be trained.
    """
    model = _embedding(fitted)
    if model.settings.head == "linear":
        raise ModelError("a class is enrolled by references, the head linear has none; train with head knn or centroid")
    if not len(patch_KHW) or label in (*fitted.classes, UNKNOWN):
        raise DataError(
            f"a new class needs a new name and at least one image, got {label!r} beside {list(fitted.classes)} and "
            f"{len(patch_KHW)} images; name it otherwise or add images"
        )
    grown = copy.deepcopy(model)
    grown.classes += 1
    grown.last = nn.Linear(model.settings.width, grown.classes).requires_grad_(False)
    grown.log_prior_C = torch.cat([model.log_prior_C, model.log_prior_C.mean()[None]])
    new_KE = grown.embed(torch.tensor(patch_KHW).float(), torch.tensor(metadata_KM))
    new_K = torch.full((len(new_KE),), model.classes)
    grown.refer(torch.cat([model.reference_RE, new_KE]), torch.cat([model.reference_label_R, new_K]))
    return replace(fitted, model=grown, classes=(*fitted.classes, label))


@torch.no_grad()
def nearest_distance(fitted: Fitted, table: SampleTable, rows_N: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return how far the nearest reference of each row is (N,), in units of the model's distance."""
    model, embedding_NE = _embedding(fitted), torch.from_numpy(embed(fitted, table, rows_N))
    parts = [model.distance(part_BE, model.reference_RE).amin(1) for part_BE in torch.split(embedding_NE, 256)]
    return np.asarray(torch.cat(parts).numpy(), np.float32)


def unknown_threshold(distance_N: npt.NDArray[np.float32], false_unknown_rate: float) -> float:
    """Return the distance from which a sample is `unknown`.

    Args:
        distance_N: Distance of the nearest reference of samples of known classes that the model was not trained on.
        false_unknown_rate: Share of them that may be called unknown, 0 to under 1.

    Raises:
        DataError: There is no sample, or the rate is out of range.
    """
    if not len(distance_N) or not 0 <= false_unknown_rate < 1:
        raise DataError(
            f"a threshold needs held-out samples and a false_unknown_rate from 0 to under 1, got {len(distance_N)} and "
            f"{false_unknown_rate:g}; hold a fold out"
        )
    return float(np.quantile(distance_N, 1 - false_unknown_rate, method="higher"))


def _embedding(fitted: Fitted) -> EmbeddingNetwork:
    if not isinstance(fitted.model, EmbeddingNetwork):
        raise ModelError(f"references need a triplet or Siamese network, got {fitted.name}; train triplet or siamese")
    return fitted.model
