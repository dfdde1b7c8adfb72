from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def propose_labels(
    zones: str,
    annotations_format: str,
    model: str,
    model_sha256: str,
    propose: dict,
    proposals: dsl.Output[dsl.Artifact],
):
    """Write the pictures of the listed zones and the boxes that the current model proposes on them.

    Args:
        zones: Where `ingest_captures` listed them; named by their content hash, so that caching follows it.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model, or path or S3 URL of its bundle.
        model_sha256: Hash of the bundle at submission, so that caching follows it; "" without one.
        propose: Fields of `ProposeSettings`.
        proposals: Folder of pictures and annotations.
    """
    from glassline.steps.propose_labels import propose_labels as step

    step(zones, annotations_format, model, propose, proposals.path)
