from kfp import dsl

from components.images import IMAGES


@dsl.component(base_image=IMAGES.training, install_kfp_package=False)
def promote_model(
    compared: dsl.Input[list[dsl.Artifact]],
    registered_model: str,
    gate: dict,
    promotion: dsl.Output[dsl.Artifact],
) -> str:
    """Register the best candidate; make it champion only when it passes the gate.

    Args:
        compared: Folders written by `compare_champion`, one per candidate.
        registered_model: Name in the registry.
        gate: Fields of `GateSettings`.
        promotion: JSON with the decision and its reasons.

    Returns:
        `promoted` or `kept`.
    """
    from glassline.steps.promote_model import promote_model as step

    return step([one.path for one in compared], registered_model, gate, promotion.path)
