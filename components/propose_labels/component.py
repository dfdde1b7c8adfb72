from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def propose_labels(
    captures: str,
    captures_hash: str,
    annotations_format: str,
    model: str,
    propose: dict,
    proposals: dsl.Output[dsl.Artifact],
):
    """Write the pictures of all zones and the boxes that the current model proposes on them.

    Args:
        captures: Folder or S3 URL of the captures.
        captures_hash: Their content hash at submission; the step refuses another.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model.
        propose: Fields of `ProposeSettings`.
        proposals: Folder of pictures and annotations.
    """
    from glassline.steps.propose_labels import propose_labels as step

    step(captures, captures_hash, annotations_format, model, propose, proposals.path)
