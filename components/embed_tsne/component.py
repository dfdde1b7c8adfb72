from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def embed_tsne(
    augmented: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    model_name: str,
    seed: int,
    embedding: dsl.Output[dsl.HTML],
    tracked: dsl.Input[dsl.Model] | None = None,
):
    """Lay held-out samples out by what the model makes of them.

    Args:
        augmented: Parquet table of patches with folds.
        model: Folder written by `train_ensemble` or `train_triplet`.
        model_name: Its name.
        seed: Seed of the embedding.
        embedding: HTML fragment of an interactive plot.
        tracked: Folder of another model whose errors are ringed.
    """
    from glassline.steps.embed_tsne import embed_tsne as step

    step(augmented.path, model.path, model_name, seed, embedding.path, tracked.path if tracked else "")
