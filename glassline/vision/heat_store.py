"""Heat of images, kept in a store under a name of what it was made of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from glassline.data.storage import code_hash, content_key, folder_hash
from glassline.data.store import Store
from glassline.vision.annotated_images import AnnotatedImages
from glassline.vision.heat_map import Classify, HeatMap, HeatSettings, heat_map

#: What heat is made of: the probability of windows, and their class activation.
HEAT, CAM = "heat map", "class activation"


def model_key(model_path: str) -> list[str]:
    """Return what names a classifier that was written to a folder, and the code that runs it."""
    return [folder_hash(model_path), code_hash("models", "training", "vision", "data", "analysis")]


@dataclass(frozen=True)
class KeptHeat:
    """Heat of the images of a table by one model.

    Attributes:
        images: The images.
        laid: How windows are laid over them.
        of: `model_key` of the model; heat of others is not taken for its own.
        store: Where heat is kept.
    """

    images: AnnotatedImages
    laid: HeatSettings
    of: Sequence[str]
    store: Store

    def heat(self, number: int, method: str, classify: Classify) -> HeatMap:
        """Return the heat of an image; it is worked out unless the store knows it.

        Args:
            number: Which image.
            method: What the classifier tells of windows: HEAT or CAM.
            classify: The classifier.

        Raises:
            DataError: The image cannot be read; names it.
            ModelError: The classifier told something that is no number.
        """
        images, size_px = self.images, self.images.sizes_px[number]
        # How many windows are classified at once changes nothing.
        what = [*self.of, self.laid.model_dump(exclude={"batch"}), images.depth_window, images.light_state, method,
                images.images[number], images.hashes[number]]  # fmt: skip
        name = f"heat/{content_key(what)}.npy"
        if (place := self.store.found(name)) is not None:
            return HeatMap(np.load(place, allow_pickle=False), size_px, self.laid)
        pixels = images.pixels(number)
        heat = heat_map(lambda window: pixels[window.pixels], size_px, classify, self.laid)
        with self.store.keep(name) as beside, open(beside, "wb") as stream:
            np.save(stream, heat.value_NM)
        return heat
