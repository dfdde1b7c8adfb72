from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def embed_tsne(
    augmented: dsl.Input[dsl.Dataset],
    model: dsl.Input[dsl.Model],
    seed: int,
    embedding: dsl.Output[dsl.HTML],
):
    """Lay held-out samples out by what the model makes of them.

    Args:
        augmented: Parquet table of patches with folds.
        model: Folder written by `train_ensemble`.
        seed: Seed of the embedding.
        embedding: HTML fragment of an interactive plot.
    """
    from glassline.steps.embed_tsne import embed_tsne as step

    step(augmented.path, model.path, seed, embedding.path)
