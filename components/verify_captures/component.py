from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def verify_captures(zones: dsl.Input[dsl.Dataset], captures_hash: str) -> str:
    """Compare every byte of the captures with what was captured.

    Args:
        zones: List of zones that `ingest_captures` wrote.
        captures_hash: Their content hash, so that caching follows it.

    Returns:
        The content hash.
    """
    from glassline.steps.verify_captures import verify_captures as step

    return step(zones.path)
