from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def verify_captures(zones: str) -> str:
    """Compare every byte of the captures with what was captured.

    Args:
        zones: Where `ingest_captures` listed them; named by their content hash, so that caching follows it.

    Returns:
        The same, once every byte is as it was captured.
    """
    from glassline.steps.verify_captures import verify_captures as step

    return step(zones)
