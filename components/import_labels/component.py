from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def import_labels(
    labels: dsl.Input[dsl.Dataset],
    samples: dsl.Output[dsl.Dataset],
) -> str:
    """Turn labelled captures into a sample table.

    Args:
        labels: Label file written by `merge_labels`.
        samples: Parquet table of zones.

    Returns:
        Content hash of the table.
    """
    from glassline.steps.import_labels import import_labels as step

    return step(labels.path, samples.path)
