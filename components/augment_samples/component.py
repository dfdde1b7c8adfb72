from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def augment_samples(
    split: dsl.Input[dsl.Dataset],
    augment: dict,
    seed: int,
    augmented: dsl.Output[dsl.Dataset],
) -> str:
    """Add augmented copies of the training samples; they inherit group and fold.

    Args:
        split: Parquet table of patches with folds.
        augment: Fields of `AugmentSettings`.
        seed: Seed of the operations.
        augmented: Parquet table with copies, by reference.

    Returns:
        Content hash of the table.
    """
    from glassline.steps.augment_samples import augment_samples as step

    return step(split.path, augment, seed, augmented.path)
