from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def apply_reviews(
    samples: dsl.Input[dsl.Dataset],
    reviews: str,
    reviews_format: str,
    reviews_hash: str,
    reviewed: dsl.Output[dsl.Dataset],
) -> str:
    """Apply what people decided on the review queue of an earlier run.

    Args:
        samples: Parquet table of images.
        reviews: File of decisions, a path or an S3 URL; "" when there is none.
        reviews_format: csv, label-studio, cvat or coco.
        reviews_hash: SHA-256 of the file at submission; another is refused.
        reviewed: Parquet table of images, corrected.

    Returns:
        Content hash of the table.
    """
    from glassline.steps.apply_reviews import apply_reviews as step

    return step(samples.path, reviews, reviews_format, reviews_hash, reviewed.path)
