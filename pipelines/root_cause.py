"""Root cause: a shift's images in, an alarm out where the line makes the same mark on every glass."""

from kfp import dsl

from components.close_run.component import close_run
from components.find_root_cause.component import find_root_cause
from pipelines.cluster import placed, whole_run


@dsl.pipeline(
    name="root-cause",
    description="A shift's images in, an alarm out where the same mark repeats.",
    pipeline_config=whole_run(),
)
def root_cause(images: str, content_hash: str, reference: str, root_cause: dict):
    """Wire the steps; every argument is made by `RootCausePipelineSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        placed(find_root_cause(images=images, content_hash=content_hash, reference=reference, root_cause=root_cause))
