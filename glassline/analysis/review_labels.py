"""Labels that inspectors contested, and annotations of two classes at one place: doubt that no model is needed for."""

import json
from typing import Any

import pandas as pd

from glassline.analysis.review_reasons import reason_rows
from glassline.data.reviews.apply import SAME_OBJECT
from glassline.data.reviews.candidates import candidate_box
from glassline.data.reviews.items import overlap, same_place
from glassline.data.samples import SampleTable

_CONTESTED, _TWO_CLASSES = 1.0, 0.8


def doubtful_annotations(patches: pd.DataFrame, images: SampleTable) -> pd.DataFrame:
    """Return units that show an annotation in doubt, as the functions of `review_reasons` do.

    Args:
        patches: Rows of a table of patches.
        images: Table of their images, with objects.
    """
    doubts = {row["id"]: found for row in images.rows.to_dict("records") if (found := _doubts(row))}
    about = images.rows.set_index("id", drop=False)
    rows = []
    for patch in patches[patches["image"].isin(list(doubts))].to_dict("records"):
        box = candidate_box(patch, about.loc[patch["image"]].to_dict())
        rows += [
            (patch["unit"], "contested", doubt, text)
            for place, doubt, text in doubts[patch["image"]]
            if patch["unit"] == patch["image"] or overlap(place, box) >= SAME_OBJECT
        ]
    return reason_rows(rows)


def _doubts(image: dict[Any, Any]) -> list[tuple[tuple[float, ...], float, str]]:
    """Return place, doubt and text of what is in doubt on an image."""
    objects: list[dict[str, Any]] = json.loads(image["objects"]) if image["objects"] else []
    found = [
        (tuple(one["bbox"]), _CONTESTED, f"an inspector contested that this is {one['label']}")
        for one in objects
        if one.get("status") == "contested"
    ]
    for number, one in enumerate(objects):
        for other in objects[:number]:
            if one["label"] != other["label"] and same_place(tuple(one["bbox"]), tuple(other["bbox"])) >= SAME_OBJECT:
                names = " and ".join(sorted((one["label"], other["label"])))
                found.append((tuple(one["bbox"]), _TWO_CLASSES, f"annotations of {names} lie on one another"))
    return found
