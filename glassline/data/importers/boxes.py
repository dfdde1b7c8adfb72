"""From boxes on images to records: what all formats of labelling software share."""

from pathlib import Path
from typing import Any

from glassline.data.annotations.boxes import AnnotatedImage, Annotations
from glassline.data.importers.records import Layout, Record, Source, is_file
from glassline.data.problems import Problems
from glassline.errors import DataError


def one_file(source: Source, suffix: str, what: str) -> Path:
    """Return the label file that was named, else the only one in the source or its folder `annotations`.

    Raises:
        DataError: There is none, or several.
    """
    if source.file:
        return source.file
    found = sorted([*source.root.glob(f"*{suffix}"), *source.root.glob(f"annotations/*{suffix}")])
    if len(found) != 1:
        raise DataError(
            f"{source.root} must hold one {what} file *{suffix}, in it or in its folder annotations, got "
            f"{[source.reference(path) for path in found]}; name the file itself as the source"
        )
    return found[0]


def boxes_layout(source: Source, found: Annotations, problems: Problems) -> Layout:
    """Return one record per image of a file; an image that nobody has looked at is a problem."""
    for name in found.unlabelled:
        problems.add(name, "an image must have been looked at, its task has no annotation; label it or delete the task")
    records = [
        labelled_record(image, image_reference(source.root, image.name), source.clean_class, problems)
        for image in found.images
    ]
    return Layout([record for record in records if record is not None], clean_class=source.clean_class)


def labelled_record(image: AnnotatedImage, reference: str, clean_class: str, problems: Problems) -> Record | None:
    """Return the record of an image: its class by its boxes, the clean class without any."""
    objects = [box.as_object() for box in image.boxes]
    label = image_label(objects, clean_class)
    if label:
        return Record(reference, label, objects=objects, size_px=image.size_px)
    problems.add(
        image.where, f"image {image.name} without annotations needs a clean class, got none; name it by clean_class"
    )
    return None


def image_reference(root: Path, name: str) -> str:
    """Return the reference of a file name, which may lie in the folder `images`; what is wrong with it is said when
    the table is built."""
    direct = Path(name).is_absolute() or ".." in Path(name).parts or is_file(root / name)
    return name if direct or not is_file(root / "images" / name) else f"images/{name}"


def image_label(objects: list[dict[str, Any]], clean_class: str) -> str:
    """Return the class of a whole image: the defect class with the largest area of boxes, else the clean class."""
    area: dict[str, float] = {}
    for item in objects:
        if item["label"] != clean_class:
            area[item["label"]] = area.get(item["label"], 0.0) + item["bbox"][2] * item["bbox"][3]
    return min(area, key=lambda label: (-area[label], label)) if area else clean_class
