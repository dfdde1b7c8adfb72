"""The one place where components get their container images from.

GLASSLINE_IMAGE_PREFIX and GLASSLINE_IMAGE_TAG override registry and tag when pipelines are compiled; a full
override of one image is GLASSLINE_IMAGE_<FAMILY>, for a digest.
"""

import os
from dataclasses import dataclass

_PREFIX = os.environ.get("GLASSLINE_IMAGE_PREFIX", "glassline")
_TAG = os.environ.get("GLASSLINE_IMAGE_TAG", "0.1.0")


def _image(family: str) -> str:
    return os.environ.get(f"GLASSLINE_IMAGE_{family.upper()}", f"{_PREFIX}/{family}-python:{_TAG}")


@dataclass(frozen=True)
class Images:
    """One image per dependency family; each lies under `images/<family>/`."""

    vision: str = _image("vision")  # data, candidates, metrics, report: no torch
    training: str = _image("training")  # torch, lightning, ONNX


IMAGES = Images()
