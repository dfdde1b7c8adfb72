"""Benchmark: tables and figures of the papers, each measured by a step of its own, and a page that compares."""

from kfp import dsl

from components.close_run.component import close_run
from components.run_benchmark.component import run_benchmark
from components.write_results.component import write_results
from pipelines.cluster import PARALLELISM, placed, whole_run


@dsl.pipeline(
    name="benchmark",
    description="Tables and figures of the papers, published and ours side by side.",
    pipeline_config=whole_run(),
)
def benchmark(entries: list[dict], places: list, size: str, seed: int, store: str, threads: int):
    """Wire the steps; every argument is made by `BenchmarkSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        with dsl.ParallelFor(entries, parallelism=PARALLELISM) as entry:
            measured = placed(
                run_benchmark(entry=entry, places=places, size=size, seed=seed, store=store, threads=threads)
            )
        placed(write_results(results=dsl.Collected(measured.outputs["result"])))
