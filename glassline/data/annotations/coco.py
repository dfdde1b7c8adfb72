"""COCO JSON: one file with images, annotations and categories."""

import json
from pathlib import Path
from typing import Any

from glassline.data.annotations.boxes import STATUS, AnnotatedImage, Annotations, Box
from glassline.data.annotations.coco_objects import read_object
from glassline.data.images import MAX_PIXELS
from glassline.data.problems import Problems
from glassline.data.storage import written_whole
from glassline.errors import DataError

_OWN = {"id", "file_name", "width", "height"}


def read_coco_file(file: Path, problems: Problems) -> Annotations:
    """Return what a file says; classes in the order of the categories' ids."""
    data = _load(file)
    categories = _by_id(data["categories"], "category", file, problems)
    images = _by_id(data["images"], "image", file, problems)
    names = {key: str(item.get("name", "")) for key, item in categories.items()}
    if len(set(names.values())) != len(names) or "" in names.values():
        problems.add(file.name, f"categories must have different names, got {sorted(names.values())}; rename one")
    boxes = _boxes(data["annotations"], images, names, file, problems)
    found = []
    for key, item in images.items():
        name, size_px = item.get("file_name"), _size(item)
        if not isinstance(name, str) or size_px is None:
            problems.add(file.name, f"image {key} must have a file_name, width and height, got {item!r:.120}; mend it")
            continue
        fields = {column: value for column, value in item.items() if column not in _OWN}
        found.append(AnnotatedImage(name, size_px, boxes[key], file.name, fields))
    classes = [names[key] for key in sorted(names, key=lambda key: (str(type(key)), key))]
    return Annotations(found, tuple(classes))


def write_coco_file(annotations: Annotations, folder: Path) -> Path:
    """Write FOLDER/annotations.json: boxes with class, status and fields; segmentations are left out."""
    numbers = {label: number for number, label in enumerate(annotations.classes, start=1)}
    images, items = [], list[dict[str, Any]]()
    for image_id, image in enumerate(annotations.images, start=1):
        width, height = image.size_px or (None, None)
        images.append({"id": image_id, "file_name": image.name, "width": width, "height": height, **image.fields})
        for box in image.boxes:
            items.append(
                {
                    "id": len(items) + 1, "image_id": image_id, "category_id": numbers[box.label],
                    "bbox": list(box.bbox), "area": box.bbox[2] * box.bbox[3], "iscrowd": 0,
                    "segmentation": [], "attributes": {STATUS: box.status, **box.fields},
                }
            )  # fmt: skip
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    target = folder / "annotations.json"
    with written_whole(target) as beside:
        beside.write_text(json.dumps({"images": images, "annotations": items, "categories": categories}))
    return target


def _boxes(
    annotations: list[Any], images: dict[Any, dict[str, Any]], names: dict[Any, str], file: Path, problems: Problems
) -> dict[Any, list[Box]]:
    """Return the boxes of each image by its id."""
    boxes: dict[Any, list[Box]] = {key: [] for key in images}
    for key, item in _by_id(annotations, "annotation", file, problems).items():
        image_id, category_id = _key(item.get("image_id")), _key(item.get("category_id"))
        if image_id not in images:
            problems.add(file.name, f"annotation {key} must name an image, got image_id {image_id!r}; mend it")
        elif category_id not in names:
            problems.add(
                file.name,
                f"annotation {key} must have a category_id among {sorted(names, key=str)}, got {category_id!r}; "
                "add the category or mend the annotation",
            )
        else:
            found = read_object(item, names[category_id], _size(images[image_id]))
            if isinstance(found, str):
                problems.add(file.name, f"annotation {key} of {images[image_id].get('file_name')}: {found}")
            else:
                boxes[image_id].append(found)
    return boxes


def _load(file: Path) -> dict[str, list[Any]]:
    try:
        data = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} must be well-formed JSON ({error}); export it again") from error
    for part in ("images", "annotations", "categories"):
        if not isinstance(data, dict) or not isinstance(data.get(part), list):
            raise DataError(
                f"{file} must be COCO JSON with the lists images, annotations, categories; {part} is missing"
            )
    parts: dict[str, list[Any]] = data
    return parts


def _by_id(items: list[Any], kind: str, file: Path, problems: Problems) -> dict[Any, dict[str, Any]]:
    """Return records by id, in their order."""
    found: dict[Any, dict[str, Any]] = {}
    for position, item in enumerate(items):
        key = _key(item.get("id")) if isinstance(item, dict) else None
        if key is None:
            problems.add(file.name, f"{kind} number {position} must be an object with an id, got {item!r:.80}; mend it")
        elif key in found:
            problems.add(file.name, f"{kind} ids must be unique, got {key!r} twice; delete one of the records")
        else:
            found[key] = item
    return found


def _size(image: dict[str, Any]) -> tuple[int, int] | None:
    """Return (width, height) in px as the image record states it, None when it does not."""
    size = image.get("width"), image.get("height")
    match size:
        case (int(width), int(height)) if 0 < width <= MAX_PIXELS and 0 < height <= MAX_PIXELS:
            return width, height
    return None


def _key(value: Any) -> int | str | None:
    """Return an id, None for what cannot be one."""
    return value if isinstance(value, int | str) else None
