"""What an image must be able to import: the health check of `images/<family>/Containerfile`.

python -m components.imports vision
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator

import components
import glassline


def modules_of(family: str) -> Iterator[str]:
    """Yield the modules that steps of an image import: of `training` the whole library, else what runs without torch.

    Args:
        family: Name of the folder below `images/`.
    """
    if family == "training":
        yield from (found.name for found in pkgutil.walk_packages(glassline.__path__, "glassline."))
        return
    for found in pkgutil.iter_modules(components.__path__):
        if found.ispkg and component_image(found.name) == family:
            yield f"glassline.steps.{found.name}"
    yield from (f"glassline.{name}" for name in ("deploy.graphs", "deploy.segmenter", "tracking.registry"))


def component_image(name: str) -> str:
    """Return the family of the image that a component runs in."""
    from components.images import IMAGES

    component = getattr(importlib.import_module(f"components.{name}.component"), name)
    image = component.component_spec.implementation.container.image
    return next(family for family, reference in vars(IMAGES).items() if reference == image)


def main(family: str) -> None:
    """Import all of it; what is missing ends the process with its name.

    Args:
        family: As for `modules_of`.
    """
    for name in modules_of(family):
        importlib.import_module(name)
    if family != "training" and "torch" in sys.modules:
        sys.exit(f"image {family} must run without torch, but a step of it imports torch; move the step to training")


if __name__ == "__main__":
    main(sys.argv[1])
