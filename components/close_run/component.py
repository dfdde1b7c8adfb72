from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.vision, install_kfp_package=False)
def close_run(status: dsl.PipelineTaskFinalStatus):
    """Close the pipeline's MLflow run as finished or failed, whatever happened.

    Args:
        status: Final status of the pipeline.
    """
    from glassline.steps.close_run import close_run as step

    step(status.state, status.error_message or "")
