from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def train_transfer(
    samples: dsl.Input[dsl.Dataset],
    target: dsl.Input[dsl.Dataset],
    sources: dsl.Input[list[dsl.Dataset]],
    selection: dsl.Input[dsl.Artifact],
    arm: str,
    content_hash: str,
    cut: dict,
    transfer: dict,
    seed: int,
    store: str,
    model: dsl.Output[dsl.Model],
    evaluation: dsl.Output[dsl.Artifact],
) -> str:
    """Fine-tune a classifier of the target from a base that was retrained on sources, and evaluate it.

    Args:
        samples: Parquet table of the target's images.
        target: Parquet table of their patches with folds.
        sources: Parquet tables of patches of other products.
        selection: Folder with the chosen sources.
        arm: What the base learns from: dataonomy, all, random or none.
        content_hash: Hash of what affinity was measured on and of its result, so that caching follows the data.
        cut: Fields of `CutSettings`, as the patches were cut.
        transfer: Fields of `TransferSettings`.
        seed: Seed of weights, order and augmentation.
        store: Folder or S3 URL for checkpoints.
        model: Folder with weights, settings and history.
        evaluation: Folder with TPR and TNR of test images, and the probability of every patch.

    Returns:
        Hash of the model.
    """
    from glassline.steps.train_transfer import train_transfer as step

    return step(
        samples.path, target.path, [one.path for one in sources], selection.path, arm, content_hash, cut, transfer,
        seed, store, model.path, evaluation.path,
    )  # fmt: skip
