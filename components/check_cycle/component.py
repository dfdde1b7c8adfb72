from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def check_cycle(
    split: dsl.Input[dsl.Dataset],
    samples: dsl.Input[dsl.Dataset],
    product: str,
    cycle: str,
    registered_model: str,
    check: dict,
    checked: dsl.Output[dsl.Artifact],
) -> list:
    """Check new data against itself and the last cycle's, and name the candidates to train.

    Args:
        split: Parquet table of patches with folds.
        samples: Parquet table of the images that they come from.
        product: Product name.
        cycle: Product cycle.
        registered_model: Name in the registry, whose champion tells of the last cycle.
        check: Fields of `CheckSettings`.
        checked: Folder with `check.json`, tables and figures.

    Returns:
        Candidates: name, model and start of each.
    """
    from glassline.steps.check_cycle import check_cycle as step

    return step(split.path, samples.path, product, cycle, registered_model, check, checked.path)
