"""COCO JSON: one file with images, annotations and categories.

The file lies in the source's own folder or in its folder `annotations`, alone, or is given by name;
`file_name` is relative to the source or to its folder `images`. An image may carry x_mm, y_mm, zone,
pitch_um, group, product and cycle.
"""

import json
from pathlib import Path
from typing import Any

from glassline.data.images import MAX_PIXELS
from glassline.data.importers.boxes import image_label
from glassline.data.importers.coco_objects import is_number, read_object
from glassline.data.importers.records import Layout, Problems, Record, Source, is_file
from glassline.errors import DataError

#: Category that means no defect, unless another is named.
CONTROL = "control"

_NUMBERS = ("x_mm", "y_mm", "pitch_um")
_NAMES = ("zone", "group", "product", "cycle")


def read_coco(source: Source, problems: Problems) -> Layout:
    """Return one record per image; classes in the order of the categories' ids."""
    file = source.file or _the_json(source)
    data = _load(file)
    categories = _by_id(data["categories"], "category", file, problems)
    images = _by_id(data["images"], "image", file, problems)
    names = {key: str(item.get("name", "")) for key, item in categories.items()}
    if len(set(names.values())) != len(names) or "" in names.values():
        problems.add(file.name, f"categories must have different names, got {sorted(names.values())}; rename one")
    clean_class = source.clean_class or (CONTROL if CONTROL in names.values() else "")
    objects = _objects(data["annotations"], images, names, file, problems)
    records = []
    for key, item in images.items():
        record = _record(source, file, key, item, objects[key], clean_class, problems)
        if record is not None:
            records.append(record)
    used = {clean_class} | {item["label"] for found in objects.values() for item in found}
    classes = [names[key] for key in sorted(names, key=lambda key: (str(type(key)), key)) if names[key] in used]
    if clean_class and clean_class not in classes:
        classes.append(clean_class)
    return Layout(records, classes, clean_class)


def _objects(
    annotations: list[Any], images: dict[Any, dict[str, Any]], names: dict[Any, str], file: Path, problems: Problems
) -> dict[Any, list[dict[str, Any]]]:
    """Return the objects of each image by its id."""
    objects: dict[Any, list[dict[str, Any]]] = {key: [] for key in images}
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
                objects[image_id].append(found)
    return objects


def _the_json(source: Source) -> Path:
    found = sorted([*source.root.glob("*.json"), *source.root.glob("annotations/*.json")])
    if len(found) != 1:
        raise DataError(
            f"{source.root} must hold one COCO file *.json, in it or in its folder annotations, got "
            f"{[source.reference(path) for path in found]}; name the file itself as the source"
        )
    return found[0]


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


def _record(
    source: Source, file: Path, key: Any, image: dict[str, Any], objects: list[dict[str, Any]], clean_class: str,
    problems: Problems,
) -> Record | None:  # fmt: skip
    name = image.get("file_name")
    if not isinstance(name, str) or _size(image) is None:
        problems.add(file.name, f"image {key} must have a file_name, width and height, got {image!r:.120}; mend it")
        return None
    label = image_label(objects, clean_class)
    if not label:
        problems.add(
            file.name, f"image {name} without annotations needs a clean class, got none; name it by clean_class"
        )
        return None
    record = Record(_reference(source.root, name), label, objects=objects, size_px=_size(image))
    for column in _NUMBERS:
        value = image.get(column)
        if value is None:
            continue
        if not is_number(value):
            problems.add(file.name, f"{column} of image {name} must be a finite number, got {value!r}; mend it")
        else:
            setattr(record, column, float(value))
    for column in _NAMES:
        if image.get(column) is not None:
            setattr(record, column, str(image[column]))
    return record


def _reference(root: Path, name: str) -> str:
    """Return the reference of a file name; what is wrong with it is said when the table is built."""
    direct = Path(name).is_absolute() or ".." in Path(name).parts or is_file(root / name)
    return name if direct or not is_file(root / "images" / name) else f"images/{name}"
