from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def compare_champion(
    augmented: dsl.Input[dsl.Dataset],
    bundle: dsl.Input[dsl.Model],
    export_run: str,
    validated: dsl.Input[dsl.Artifact],
    candidate: dict,
    registered_model: str,
    latency: dict,
    compared: dsl.Output[dsl.Artifact],
):
    """Judge candidate and champion on the same units, of the new product and of the old one, and time the candidate.

    Args:
        augmented: Parquet table of patches with folds.
        bundle: Folder with `bundle.zip` of the candidate.
        export_run: Run that logged it.
        validated: Folder with the candidate's out-of-fold `predictions.parquet`.
        candidate: `name`, `model` and `start` of the candidate.
        registered_model: Name in the registry, whose champion is judged.
        latency: Fields of `LatencySettings`.
        compared: Folder with `compared.parquet` and `compared.json`.
    """
    from glassline.steps.compare_champion import compare_champion as step

    step(augmented.path, bundle.path, export_run, validated.path, candidate, registered_model, latency, compared.path)
