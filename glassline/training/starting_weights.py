"""The weights that a backbone starts from: of the hub, of a file, or random; and where they came from, in words."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from torch import Tensor

from glassline.data.storage import sha256_file
from glassline.errors import ModelError
from glassline.models.backbone import TIMM, Backbone
from glassline.models.settings import BackboneSettings

#: What is told of random weights starts with this.
RANDOM = "random"
# How long the hub may keep silent, s.
_PATIENCE_S = 10.0
# Heads that classifiers of ImageNet have and backbones do not.
_AUXILIARY = ("AuxLogits.", "aux1.", "aux2.")


class _UnreachableError(Exception):
    """The hub does not answer, or has no weights of this network; tells why."""


def load_starting_weights(backbone: Backbone, settings: BackboneSettings) -> str:
    """Put the weights that settings name into a backbone, and return where they came from.

    Args:
        backbone: The network that `settings.network` names, with random weights; changed in place.
        settings: `weights`: `hub`, `random`, or a file. Where the hub cannot be reached the random ones stay.

    Returns:
        `random`, `random (the hub could not be reached: …)`, `hub: torchvision inception_v3 IMAGENET1K_V1`, or
        `file NAME sha256 …`.

    Raises:
        ModelError: The file is missing, broken, another than was pinned, or another network's.
    """
    if settings.weights == RANDOM:
        return RANDOM
    if settings.weights != "hub":
        return _from_file(backbone, Path(settings.weights), settings)
    try:
        with _impatient():
            if settings.network.startswith(TIMM):
                return _from_timm(backbone, settings.network.removeprefix(TIMM))
            return _from_torchvision(backbone, settings.network)
    except (_UnreachableError, URLError, HTTPException, ConnectionError, TimeoutError) as error:
        return f"{RANDOM} (the hub could not be reached: {' '.join(str(error).split())})"


def _from_torchvision(backbone: Backbone, name: str) -> str:
    from torchvision import models

    weights = models.get_model_weights(name).DEFAULT
    _fill(backbone, weights.get_state_dict(progress=False, check_hash=True), f"the hub's weights of {name}")
    return f"hub: torchvision {name} {weights.name}"


def _from_timm(backbone: Backbone, name: str) -> str:
    import timm

    told = timm.get_pretrained_cfg(name)
    if told is None or not told.hf_hub_id:
        raise _UnreachableError(f"it has no weights of {TIMM}{name}")
    path = _fetched(told.hf_hub_id)
    filled = timm.create_model(name, pretrained=True, pretrained_cfg_overlay={"file": path}, num_classes=0)
    backbone.network.load_state_dict(filled.state_dict())
    return f"hub: timm {name} ({told.hf_hub_id})"


def _fetched(repository: str) -> str:
    """Return the file of a repository of Hugging Face, from its cache where it lies there.

    Its client tries six times per file, 46 s in all, where there is no network: it is asked only if the hub answers.
    """
    from huggingface_hub import hf_hub_download, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    name = "model.safetensors"
    with suppress(LocalEntryNotFoundError):
        return hf_hub_download(repository, name, local_files_only=True)
    asked = Request(hf_hub_url(repository, name), method="HEAD")  # noqa: S310 - the client's own address
    urlopen(asked, timeout=_PATIENCE_S).close()  # noqa: S310
    try:
        return hf_hub_download(repository, name, etag_timeout=_PATIENCE_S)
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise _UnreachableError(str(error)) from None


def _from_file(backbone: Backbone, path: Path, settings: BackboneSettings) -> str:
    import timm

    if not path.is_file():
        raise ModelError(f"backbone.weights must be hub, random or a file, there is none at {path}; check the path")
    sha256 = sha256_file(path)
    if settings.weights_sha256 and sha256 != settings.weights_sha256:
        raise ModelError(
            f"{path} must be the file that the run was submitted with, sha256 {settings.weights_sha256[:12]}, got "
            f"{sha256[:12]}; submit the run again"
        )
    try:
        weights = timm.models.load_state_dict(str(path), device="cpu", weights_only=True)
    except Exception as error:  # of unpickling and of safetensors, without a common base
        raise ModelError(
            f"{path} must be weights as .safetensors or .pth without code, it cannot be read ({error}); save it again "
            "with safetensors"
        ) from None
    _fill(backbone, weights, f"{path}, weights of {settings.network},")
    return f"file {path.name} sha256 {sha256}"


def _fill(backbone: Backbone, weights: Mapping[str, Any], what: str) -> None:
    """Load weights, those of heads left out.

    Raises:
        ModelError: They are another network's.
    """
    heads = (*_AUXILIARY, *([f"{backbone.head}."] if backbone.head else ["fc.", "classifier.", "head."]))
    known = backbone.network.state_dict()
    taken = {name: value for name, value in weights.items() if name in known or not name.startswith(heads)}
    wrong = sorted(set(known) ^ set(taken))
    wrong += [name for name in known.keys() & taken.keys() if _shape(taken[name]) != _shape(known[name])]
    # Older files lack the counter of batches, which nothing reads.
    wrong = [name for name in wrong if not name.endswith("num_batches_tracked")]
    if wrong:
        raise ModelError(
            f"{what} must fit the network, {len(wrong)} weights do not, such as {wrong[0]}; name the network that they "
            "belong to as backbone.network"
        )
    backbone.network.load_state_dict(taken, strict=False)


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


@contextmanager
def _impatient() -> Iterator[None]:
    """Bound how long a connection may take: torchvision's download sets no limit."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_PATIENCE_S)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
