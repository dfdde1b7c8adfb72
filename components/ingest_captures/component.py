from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def ingest_captures(
    session: str,
    session_hash: str,
    captures: str,
) -> str:
    """Move a session's captures to where they are kept; what is there already is not sent again.

    Args:
        session: Folder of captures, as the rig wrote it.
        session_hash: Its content hash at submission; the ingest refuses another.
        captures: Folder or s3://bucket/prefix where captures are kept.

    Returns:
        Where the list of the session's zones lies, named by their content hash.
    """
    from glassline.steps.ingest_captures import ingest_captures as step

    return step(session, session_hash, captures)
