"""COCO JSON: one file with images, annotations and categories.

The file lies in the source's own folder or in its folder `annotations`, alone, or is given by name;
`file_name` is relative to the source or to its folder `images`. An image may carry x_mm, y_mm, zone,
pitch_um, group, product and cycle.
"""

from glassline.data.annotations.boxes import AnnotatedImage
from glassline.data.annotations.coco import read_coco_file
from glassline.data.annotations.coco_objects import is_number
from glassline.data.importers.boxes import image_reference, labelled_record, one_file
from glassline.data.importers.records import Layout, Record, Source
from glassline.data.labels import CONTROL
from glassline.data.problems import Problems

_NUMBERS = ("x_mm", "y_mm", "pitch_um")
_NAMES = ("zone", "group", "product", "cycle")


def read_coco(source: Source, problems: Problems) -> Layout:
    """Return one record per image; classes in the order of the categories' ids, `control` without defect."""
    found = read_coco_file(one_file(source, ".json", "COCO"), problems)
    clean_class = source.clean_class or (CONTROL if CONTROL in found.classes else "")
    records = []
    for image in found.images:
        record = labelled_record(image, image_reference(source.root, image.name), clean_class, problems)
        if record is not None:
            _add_fields(record, image, problems)
            records.append(record)
    used = {clean_class} | {box.label for image in found.images for box in image.boxes}
    classes = [label for label in found.classes if label in used]
    if clean_class and clean_class not in classes:
        classes.append(clean_class)
    return Layout(records, classes, clean_class)


def _add_fields(record: Record, image: AnnotatedImage, problems: Problems) -> None:
    """Take what the image carries besides its boxes."""
    for column in _NUMBERS:
        value = image.fields.get(column)
        if value is None:
            continue
        if not is_number(value):
            problems.add(image.where, f"{column} of image {image.name} must be a finite number, got {value!r}; mend it")
        else:
            setattr(record, column, float(value))
    for column in _NAMES:
        if image.fields.get(column) is not None:
            setattr(record, column, str(image.fields[column]))
