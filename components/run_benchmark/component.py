from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def run_benchmark(
    entry: dict,
    places: list,
    size: str,
    seed: int,
    store: str,
    threads: int,
    result: dsl.Output[dsl.Artifact],
):
    """Measure one table or figure of the papers.

    Args:
        entry: Its `id`, and the `data_hash` of its data set at submission.
        places: Folders or S3 URLs with data sets below them.
        size: smoke, demo or full.
        seed: Seed of draws and fits.
        store: Folder or S3 URL for results, shards and checkpoints.
        threads: CPU threads; 0 takes all cores.
        result: Folder with the result and its figure.
    """
    from glassline.steps.run_benchmark import run_benchmark as step

    step(entry, places, size, seed, store, threads, result.path)
