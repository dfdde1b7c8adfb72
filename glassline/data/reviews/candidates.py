"""From rows of a table of patches to samples to decide on: which image, where on it, and what it is labelled as."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from glassline.data.labels import BOX_COLUMNS
from glassline.data.reviews.apply import current_label
from glassline.data.reviews.items import BoxPx, Item, image_item
from glassline.data.samples import SampleTable

#: Columns of what `samples_to_review` returns, besides those of the patch.
SAMPLE_COLUMNS = ("id", "file", "unit", "image", "source", "label", *BOX_COLUMNS)

# What candidate extraction tells of a candidate's size; see `vision.attributes`.
_WIDTH, _HEIGHT = "attr_width_share", "attr_height_share"


def candidate_box(patch: Mapping[Any, Any], image: Mapping[Any, Any]) -> BoxPx:
    """Return x, y, width, height of a candidate on its image, in px.

    A patch is cut around its candidate's middle. One that was cut otherwise is the candidate itself.

    Args:
        patch: Row of a table of patches.
        image: Row of its image.
    """
    left, top, crop_px = (int(patch[name]) for name in ("crop_x_px", "crop_y_px", "crop_px"))
    if _WIDTH not in patch or _HEIGHT not in patch:
        return left, top, crop_px, crop_px
    width, height = (
        max(round(patch[share] * image[side]), 1) for share, side in ((_WIDTH, "width_px"), (_HEIGHT, "height_px"))
    )
    return left - (width - crop_px) // 2, top - (height - crop_px) // 2, width, height


def samples_to_review(patches: pd.DataFrame, images: SampleTable) -> pd.DataFrame:
    """Return what is decided on, in the order of the patches.

    Args:
        patches: One row of a table of patches per unit.
        images: Table of their images.

    Returns:
        The rows with SAMPLE_COLUMNS: id of the sample, name of its picture, unit, image, where the image lies,
        label, and place of the candidate on the image in px.
    """
    by_id: dict[Any, dict[Any, Any]] = images.rows.set_index("id", drop=False).to_dict("index")
    found: list[dict[Any, Any]] = []
    for patch in patches.to_dict("records"):
        image = by_id[patch["image"]]
        box = candidate_box(patch, image)
        whole = patch["unit"] == patch["image"]
        item = image_item(image) if whole else Item(str(image["id"]), str(image["sha256"])[:8], box)
        label, _ = current_label(image, item.box_px, images.clean_class)
        place = dict(zip(BOX_COLUMNS, box, strict=True))
        about = {"id": item.identity, "file": item.file_name, "label": label}
        found.append({**patch, **about, **place, "source": f"{images.root.rstrip('/')}/{image['image']}"})
    return pd.DataFrame(found, columns=list(dict.fromkeys([*SAMPLE_COLUMNS, *patches.columns])))
