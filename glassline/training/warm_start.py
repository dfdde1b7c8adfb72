"""Start a fit from the weights of another one: tensors by name, classes and metadata columns by theirs.

Shapes: C classes, M metadata columns.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from glassline.models.registry import build_model
from glassline.models.settings import PATCH_PX, NetworkSettings
from glassline.training.failed_fit import FailedFitError
from glassline.training.fitted import Fitted
from glassline.training.fitted_base import FittedBase, starting_base
from glassline.training.saved_network import weights_hash
from glassline.training.settings import TrainingSettings

# Of what an axis counts, the names of the network's own and of those that it starts from.
Names = Mapping[str, tuple[Sequence[str], Sequence[str]]]

_NAMED = 3  # tensors of another shape that are named


@dataclass(frozen=True)
class WarmStart:
    """Weights to start from.

    Attributes:
        name: What a reader knows them as, such as `version 3 of glassline-P1`.
        fitted: The model that they are of.
    """

    name: str
    fitted: Fitted

    def content_hash(self) -> str:
        """Return the SHA-256 of all that a fit takes: weights, classes and columns."""
        of = self.fitted
        told = json.dumps([of.name, of.classes, of.attributes, weights_hash(of.model)])
        return hashlib.sha256(told.encode()).hexdigest()


@dataclass(frozen=True)
class Beginning:
    """A network before its fit.

    Attributes:
        model: In training mode.
        origin: Where its weights came from; "" of random ones.
        sources: Sources that they were trained on.
        key: What names them in a checkpoint's key; "" of random ones.
    """

    model: nn.Module
    origin: str = ""
    sources: tuple[str, ...] = ()
    key: str = ""


def beginning(
    name: str, classes: Sequence[str], attributes: Sequence[str], settings: TrainingSettings, seed: int,
    base: FittedBase | None, start: WarmStart | None,
) -> Beginning:  # fmt: skip
    """Return the network that a fit begins with; model transfer has a base unless it is told a start."""
    if start is not None:
        model = build_model(name, PATCH_PX, len(attributes), len(classes), settings)
        origin = take_weights(model, name, classes, attributes, settings, start)
        return Beginning(model, origin, start.fitted.sources, start.content_hash())
    if name == "transfer":
        base = base or starting_base(settings, seed)
        return Beginning(base.model.with_classes(len(classes)), base.weights, base.sources, base.weights_hash())
    return Beginning(build_model(name, PATCH_PX, len(attributes), len(classes), settings))


@torch.no_grad()
def take_weights(
    model: nn.Module, name: str, classes: Sequence[str], attributes: Sequence[str], settings: NetworkSettings,
    start: WarmStart,
) -> str:  # fmt: skip
    """Copy weights of equal name and shape into a model, those of a class or column by its name.

    What a fit measures anew is not copied: references and heads that are fitted on them, and mean and deviation of
    metadata. Under other light a column lies elsewhere: with the old mean it would be clipped to one end, while weights
    that were learnt in deviations mean the same in the new ones.

    Args:
        model: Network with random weights; changed in place.
        name: Its name in the registry.
        classes: Its classes (C).
        attributes: Its metadata columns (M).
        settings: Its shape.
        start: What to copy from.

    Returns:
        What was taken and what was not.

    Raises:
        FailedFitError: Nothing could be taken.
    """
    old = start.fitted
    columns = {"class": (classes, old.classes), "column": (attributes, old.attributes)}
    given, mine = old.model.state_dict(), model.state_dict()
    kinds = _kinds(name, len(attributes), len(classes), settings)
    wanted = [key for key in mine if key in kinds and key in _learnt(model)]
    fresh = [key for key in wanted if not _copy(mine[key], given.get(key), kinds[key], columns)]
    if len(fresh) == len(wanted):
        raise FailedFitError(
            f"{name} must share weights with what it starts from, got none in {start.name} ({old.name}); start from "
            "another model, or from scratch"
        )
    return _told(name, wanted, fresh, columns, start)


def _learnt(model: nn.Module) -> set[str]:
    """Return the names of the weights that a fit learns, and of the statistics of batch normalisation."""
    names = {name for name, weight in model.named_parameters() if weight.requires_grad}
    for part, module in model.named_modules():
        if isinstance(module, _NormBase):
            names |= {f"{part}.{name}" for name, _ in module.named_buffers(recurse=False)}
    return names


def _kinds(name: str, columns: int, classes: int, settings: NetworkSettings) -> dict[str, list[str]]:
    """Return of each axis of each tensor whether it counts classes, columns or neither, by building with one more.

    Tensors that are not there with one more, or grow by other than one, are left out.
    """
    with torch.device("meta"):
        plain, of_class, of_column = (
            build_model(name, PATCH_PX, columns + more_columns, classes + more_classes, settings).state_dict()
            for more_columns, more_classes in ((0, 0), (0, 1), (1, 0))
        )
    found = {}
    for key, value in plain.items():
        grown = [
            (of_class[key].shape[axis] - size, of_column[key].shape[axis] - size)
            for axis, size in enumerate(value.shape)
        ]
        if all(growth in _AXES for growth in grown):
            found[key] = [_AXES[growth] for growth in grown]
    return found


_AXES = {(0, 0): "", (1, 0): "class", (0, 1): "column"}


def _copy(mine: Tensor, given: Tensor | None, kinds: Sequence[str], names: Names) -> bool:
    """Copy what has a counterpart; return whether anything was."""
    if given is None or given.ndim != mine.ndim:
        return False
    to, taken = [], given
    for axis, kind in enumerate(kinds):
        if not kind and mine.shape[axis] != given.shape[axis]:
            return False
        new, old = names[kind] if kind else (range(mine.shape[axis]),) * 2
        both = [one for one in new if one in old]
        to.append(torch.tensor([list(new).index(one) for one in both], dtype=torch.long))
        taken = taken.index_select(axis, torch.tensor([list(old).index(one) for one in both], dtype=torch.long))
    if not taken.numel():
        return False
    if to:
        mine[torch.meshgrid(*to, indexing="ij")] = taken
    else:
        mine.copy_(taken)
    return True


def _told(
    name: str, wanted: Sequence[str], fresh: Sequence[str], names: Names,
    start: WarmStart,
) -> str:  # fmt: skip
    parts = [f"{start.name}: {len(wanted) - len(fresh)} of {len(wanted)} tensors of {name}"]
    for kind, (new, old) in names.items():
        if lacking := [one for one in new if one not in old]:
            parts.append(f"new {kind} {', '.join(lacking)}")
        if gone := [one for one in old if one not in new]:
            parts.append(f"without {kind} {', '.join(gone)}")
    if fresh:
        parts.append(f"of another shape {', '.join(fresh[:_NAMED])}{' …' if len(fresh) > _NAMED else ''}")
    return "; ".join(parts)
