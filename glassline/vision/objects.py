"""Annotated objects (COCO boxes, polygons, run lengths) drawn into one index image."""

from typing import Any

import numpy as np
import numpy.typing as npt


def draw_objects(objects: list[dict[str, Any]], shape_HW: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Return an image whose pixels hold 1 + the index of the object there, 0 outside all of them.

    Smaller objects are drawn last, so that none disappears under a larger one.

    Args:
        objects: `label`, `bbox` [x, y, width, height] in px, `segmentation` (COCO polygons, RLE, or null).
        shape_HW: Height and width of the image in px.
    """
    index_HW = np.zeros(shape_HW, np.int32)
    # Each mask twice instead of all at once: a line-scan frame of 100 megapixels may hold dozens of objects.
    area_px = [int(_object_mask(entry, shape_HW).sum()) for entry in objects]
    for number in sorted(range(len(objects)), key=lambda number: -area_px[number]):
        index_HW[_object_mask(objects[number], shape_HW)] = number + 1
    return index_HW


def _object_mask(entry: dict[str, Any], shape_HW: tuple[int, int]) -> npt.NDArray[np.bool_]:
    segmentation = entry.get("segmentation")
    if not segmentation:
        x_px, y_px, width_px, height_px = (round(value) for value in entry["bbox"])
        mask_HW = np.zeros(shape_HW, np.bool_)
        mask_HW[max(y_px, 0) : max(y_px + height_px, 0), max(x_px, 0) : max(x_px + width_px, 0)] = True
        return mask_HW
    from pycocotools import mask as coco_mask

    height, width = shape_HW
    if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
        encoded = {"size": segmentation["size"], "counts": segmentation["counts"].encode()}
    elif isinstance(segmentation, dict):
        encoded = coco_mask.frPyObjects(segmentation, height, width)
    else:
        encoded = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    return np.asarray(coco_mask.decode(encoded), np.bool_)
