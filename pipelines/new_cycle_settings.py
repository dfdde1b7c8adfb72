"""Settings and presets of the pipeline `new_cycle`, checked before anything runs."""

from typing import Any

from pydantic import Field

from glassline.analysis.affinity import AffinitySettings
from glassline.analysis.cycle_settings import CheckSettings
from glassline.analysis.source_selection import SelectionSettings
from glassline.data.source_list import refuse_own_product, source_entries
from glassline.models.settings import BackboneSettings
from glassline.training.settings import TrainingSettings, TransferSettings
from glassline.vision.augment import AugmentSettings
from pipelines.product_settings import ClassifierSettings, of_captures

# Affinity only ranks sources: a small network that learned from them does, a single class of a set is poor
# pre-training, and comparisons that contradict each other are no reason to refuse the new data.
_AFFINITY = AffinitySettings(by="table", largest_inconsistency=1)
_AFFINITY_NETWORK = BackboneSettings(network="timm/test_resnet.r160_in1k", weights="random")


class NewCycleSettings(ClassifierSettings):
    """What a run of `new_cycle` can be told, besides where its data is."""

    sources: str = Field("", description="YAML list of older sets to learn from, see docs/transfer.md; '' for none")
    check: CheckSettings = Field(CheckSettings(), description="what data is refused, and which candidates are trained")
    affinity: AffinitySettings = Field(_AFFINITY, description="how the worth of a source is measured")
    selection: SelectionSettings = Field(SelectionSettings(), description="how many samples of sources are taken")
    transfer: TransferSettings = Field(
        TransferSettings(backbone=_AFFINITY_NETWORK), description="the network that affinity is measured with"
    )

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: Folder of images and annotations, or their label file; a path or an S3 URL.
            data_hash: What `hash_of` returns; "" where it is not known.
            store: Folder or S3 URL where shards and checkpoints stay.

        Raises:
            DataError: The list of sources is missing, breaks a rule, or names the product.
        """
        # Kubeflow Pipelines has no null: what is left out takes its default, None, again.
        values = self.model_dump(mode="json", exclude_none=True)
        sources = source_entries(self.sources, hashed=bool(data_hash)) if self.sources else []
        for one in sources:
            refuse_own_product(
                one["product"], self.product,
                "leave it out, its own earlier cycle is taken from the champion's run",
            )  # fmt: skip
        values["check"]["sources"] = len(sources)
        return {**values, "sources": sources, **self.of_the_data(data, data_hash, store)}


def smoke() -> NewCycleSettings:
    """Return the smallest run that executes every step."""
    return NewCycleSettings(
        folds=3,
        augment=AugmentSettings(copies=1),
        training=TrainingSettings(epochs=2),
        check=CheckSettings(most_candidates=2, permutations=99),
        transfer=TransferSettings(backbone=_AFFINITY_NETWORK, base_epochs=1, epochs=1),
        selection=SelectionSettings(budget=300),
    )


def demo() -> NewCycleSettings:
    """Return a run of minutes on two cores."""
    return NewCycleSettings(
        folds=5,
        augment=AugmentSettings(copies=1),
        training=TrainingSettings(epochs=6),
        transfer=TransferSettings(backbone=_AFFINITY_NETWORK, base_epochs=3, epochs=3),
        selection=SelectionSettings(budget=1000),
    )


def full() -> NewCycleSettings:
    """Return the run for a real product."""
    return NewCycleSettings(augment=AugmentSettings(copies=3), training=TrainingSettings(epochs=20))


PRESETS = {
    "smoke": smoke,
    "demo": demo,
    "full": full,
    "captures-smoke": lambda: of_captures(smoke()),
    "captures-demo": lambda: of_captures(demo()),
    "captures-full": lambda: of_captures(full()),
}
