"""Settings and presets of the pipeline `transfer`, checked before anything runs."""

from typing import Any, Literal

from pydantic import Field

from glassline.analysis.affinity import AffinitySettings
from glassline.analysis.source_selection import SelectionSettings
from glassline.data.importers import folder_and_file
from glassline.data.source_list import LIST, refuse_own_product, source_entries
from glassline.models.settings import BackboneSettings
from glassline.training.settings import TransferSettings
from glassline.vision.cut_patches import CutSettings
from glassline.vision.heat_map import LocaliseSettings
from glassline.vision.patches import DARK_FIELD_WINDOW
from pipelines.product_settings import ProductSettings


class TransferRunSettings(ProductSettings):
    """What a run of `transfer` can be told, besides where the new product's data is."""

    data_format: str = Field("captures", description="layout of the new product's data, as in `glassline import`")
    sources: str = Field("", description=f"YAML list of sets to learn from; '' is `{LIST}` beside the data")
    cut: CutSettings = Field(CutSettings(), description="how windows are cut of images")
    folds: int = Field(5, ge=3, le=100, description="parts of the new product's images: one to test, one to validate")
    affinity: AffinitySettings = Field(AffinitySettings(), description="how the worth of a source is measured")
    selection: SelectionSettings = Field(SelectionSettings(), description="how many samples are taken")
    transfer: TransferSettings = Field(TransferSettings(), description="how base and classifier are trained")
    localise: LocaliseSettings = Field(LocaliseSettings(), description="how heat maps become boxes")

    @property
    def simulated(self) -> Literal["product"]:
        """What is simulated when a run names no data."""
        return "product"

    def arguments(self, data: str, data_hash: str, store: str) -> dict[str, Any]:
        """Return the pipeline's arguments.

        Args:
            data: Folder of images and annotations, or their label file; a path or an S3 URL.
            data_hash: What `hash_of` returns; "" where it is not known. Those of the sources stand in their list.
            store: Folder or S3 URL where shards and checkpoints stay.

        Raises:
            DataError: The list of sources is missing or breaks a rule, or names the new product.
            SettingsError: What a source's `cut` changes is no setting of it.
        """
        # Kubeflow Pipelines has no null: what is left out takes its default, None, again.
        pinned = self.transfer.model_copy(update={"backbone": self.transfer.backbone.pinned()})
        values = self.model_copy(update={"transfer": pinned}).model_dump(mode="json", exclude_none=True)
        sources = source_entries(self.sources or _beside(data), hashed=bool(data_hash))
        for one in sources:
            refuse_own_product(
                one["product"], self.product, "rename it with --set product=NAME, or leave the source out"
            )
            CutSettings.parse({**values["cut"], **one["cut"]})
        return {
            **values,
            "data": data,
            "data_hash": data_hash,
            "store": store,
            "sources": sources,
            "registered_model": f"glassline-{self.product}-transfer",
        }


def _beside(data: str) -> str:
    """Return where the list of sources lies unless told: in the data's folder."""
    return f"{folder_and_file(data)[0]}/{LIST}"


def _of_glasses(window_px: int = 64) -> CutSettings:
    """Return how captures of the dark-field rig are cut: by windows that a small mark fills well."""
    return CutSettings(window_px=window_px, step_px=window_px // 2, depth_window=DARK_FIELD_WINDOW)


def smoke() -> TransferRunSettings:
    """Return the smallest run that executes every step."""
    return TransferRunSettings(
        cut=CutSettings(clean_per_image=4, depth_window=DARK_FIELD_WINDOW),
        folds=3,
        affinity=AffinitySettings(rows_per_source=100),
        selection=SelectionSettings(budget=300),
        transfer=TransferSettings(
            backbone=BackboneSettings(network="timm/test_resnet.r160_in1k", weights="random"), base_epochs=2, epochs=2
        ),
        localise=LocaliseSettings(step_px=64),
    )


def demo() -> TransferRunSettings:
    """Return a run of minutes on two cores."""
    return TransferRunSettings(
        cut=_of_glasses(96),
        selection=SelectionSettings(budget=1000),
        transfer=TransferSettings(
            backbone=BackboneSettings(network="timm/resnet10t.c3_in1k", weights="random"), base_epochs=6, epochs=10,
            precision="bf16-mixed",
        ),
        localise=LocaliseSettings(step_px=48),
    )  # fmt: skip


def full() -> TransferRunSettings:
    """Return the run for a new product: Inception V3, with the hub's weights where it can be reached."""
    return TransferRunSettings(cut=_of_glasses())


PRESETS = {"smoke": smoke, "demo": demo, "full": full}
