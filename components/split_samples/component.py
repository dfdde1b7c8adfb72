from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def split_samples(
    patches: dsl.Input[dsl.Dataset],
    content_hash: str,
    folds: int,
    seed: int,
    split: dsl.Output[dsl.Dataset],
    strict: bool = True,
):
    """Assign folds by group, stratified by class.

    Args:
        patches: Parquet table of patches.
        content_hash: Its content hash.
        folds: Number of folds, >= 2.
        seed: Seed of the assignment.
        split: Parquet table with a `fold` column.
        strict: Refuse too few groups; else there are fewer folds.
    """
    from glassline.steps.split_samples import split_samples as step

    step(patches.path, folds, seed, split.path, strict)
