"""Which code an image holds: it is labelled with the hash when it is built."""

from collections.abc import Mapping

from glassline.data.storage import code_hash
from glassline.errors import EngineError


def check_code(reference: str, labels: Mapping[str, str]) -> None:
    """See that an image holds this very code.

    Args:
        reference: What the image is called.
        labels: Its labels.

    Raises:
        EngineError: It was built from other code, or tells none.
    """
    if labels.get("glassline.code") != code_hash("."):
        raise EngineError(
            f"the image {reference} must hold the code of this installation, it was built from other code (commit "
            f"{labels.get('org.opencontainers.image.revision', 'unknown')[:12]}); run `make images`"
        )
