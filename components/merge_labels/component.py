from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def merge_labels(
    zones: str,
    annotations: str,
    annotations_sha256: str,
    annotations_format: str,
    model: str,
    model_sha256: str,
    merge: dict,
    labels: dsl.Output[dsl.Dataset],
) -> str:
    """Merge inspectors' boxes with the current model's masks into labels of the clean captures.

    Args:
        zones: Where `ingest_captures` listed them; named by their content hash, so that caching follows it.
        annotations: Annotation file, a folder for voc; a path or an S3 URL.
        annotations_sha256: Hash of them at submission, so that caching follows them; the merge refuses another.
        annotations_format: coco, voc, cvat or label-studio.
        model: Name of the current model, or path or S3 URL of its bundle.
        model_sha256: Hash of the bundle at submission, so that caching follows it; "" without one.
        merge: Fields of `MergeSettings`.
        labels: Label file.

    Returns:
        Content hash of the labels.
    """
    from glassline.steps.merge_labels import merge_labels as step

    return step(zones, annotations, annotations_sha256, annotations_format, model, merge, labels.path)
