from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def find_root_cause(
    images: str,
    content_hash: str,
    reference: str,
    root_cause: dict,
    findings: dsl.Output[dsl.Dataset],
) -> str:
    """Look for marks that repeat in one place; returns whether there is one, `yes` or `no`.

    Args:
        images: Folder of images, of one per view, or captures.
        content_hash: Hash of images and reference at submission.
        reference: The same views of good glasses; "" when there are none.
        root_cause: Fields of `RootCauseSettings`.
        findings: Folder with the result, a table and a picture per finding.
    """
    from glassline.steps.find_root_cause import find_root_cause as step

    return step(images, content_hash, reference, root_cause, findings.path)
