from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def verify_captures(captures: str, captures_hash: str) -> str:
    """Compare every byte of the captures with what was captured.

    Args:
        captures: Folder or s3://bucket/prefix of captures.
        captures_hash: Their content hash, as the ingest returned it; another is refused.

    Returns:
        The content hash.
    """
    from glassline.steps.verify_captures import verify_captures as step

    return step(captures, captures_hash)
