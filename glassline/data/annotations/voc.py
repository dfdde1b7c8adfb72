"""Pascal VOC: one XML file per image in a folder `Annotations`.

Boxes count pixels from 1 and include both corners, as VOC defines them. The status stands where CVAT's
VOC export puts attributes: object/attributes/attribute with name and value.
"""

from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from glassline.data.annotations.boxes import STATUS, AnnotatedImage, Annotations, Box, read_box, used_classes
from glassline.data.annotations.safe_xml import read_xml, text_of
from glassline.data.problems import Problems
from glassline.data.storage import written_whole
from glassline.errors import DataError

#: Folders of the layout.
ANNOTATIONS, IMAGES = "Annotations", "JPEGImages"


def read_voc_folder(folder: Path, problems: Problems) -> Annotations:
    """Return what the files of FOLDER/Annotations say; the images need not be there.

    Raises:
        DataError: There is no such folder, or nothing in it.
    """
    inner = folder / ANNOTATIONS if (folder / ANNOTATIONS).is_dir() else folder
    files = sorted(inner.glob("*.xml"))
    if not files:
        raise DataError(f"{folder} must be a folder of VOC annotations *.xml, got none; check the path")
    found = [read_voc_file(file, f"{inner.name}/{file.name}", problems) for file in files]
    images = [image for image in found if image is not None]
    return Annotations(images, used_classes(images))


def read_voc_file(file: Path, where: str, problems: Problems) -> AnnotatedImage | None:
    """Return what one file says, None when nothing of it can be used."""
    try:
        root = read_xml(file, "VOC")
    except DataError as error:
        problems.add(where, str(error))
        return None
    try:
        size_px = (int(text_of(root, "size/width")), int(text_of(root, "size/height")))
        image = AnnotatedImage(text_of(root, "filename"), size_px, where=where)
        for item in root.iter("object"):
            found = _object(item, size_px)
            if isinstance(found, Box):
                image.boxes.append(found)
            else:
                problems.add(where, f"object {text_of(item, 'name')!r}: {found}")
    except ValueError as error:
        problems.add(where, f"an annotation must be well-formed VOC XML ({error}); export it again")
        return None
    return image


def write_voc_folder(annotations: Annotations, folder: Path) -> Path:
    """Write FOLDER/Annotations/NAME.xml per image: boxes with class and status; return FOLDER."""
    for image in annotations.images:
        root = Element("annotation")
        SubElement(root, "folder").text = IMAGES
        SubElement(root, "filename").text = image.name
        size = SubElement(root, "size")
        for name, value in zip(("width", "height", "depth"), (*(image.size_px or (0, 0)), 1), strict=True):
            SubElement(size, name).text = str(value)
        for box in image.boxes:
            _write_object(root, box)
        indent(root)
        with written_whole(folder / ANNOTATIONS / f"{Path(image.name).stem}.xml") as beside:
            ElementTree(root).write(beside, encoding="utf-8")
    return folder


def _object(item: Any, size_px: tuple[int, int]) -> Box | str:
    label = text_of(item, "name")
    corners = ("xmin", "ymin", "xmax", "ymax")
    xmin, ymin, xmax, ymax = (float(text_of(item, f"bndbox/{corner}")) for corner in corners)
    attributes = {one.findtext("name"): one.findtext("value") for one in item.iterfind("attributes/attribute")}
    box_px = (xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1)
    return read_box(label, box_px, size_px, attributes.get(STATUS))


def _write_object(root: Element, box: Box) -> None:
    item = SubElement(root, "object")
    SubElement(item, "name").text = box.label
    x, y, width, height = box.bbox
    corners = {"xmin": x + 1, "ymin": y + 1, "xmax": x + width, "ymax": y + height}
    place = SubElement(item, "bndbox")
    for corner, value in corners.items():
        SubElement(place, corner).text = f"{value:.10g}"
    attribute = SubElement(SubElement(item, "attributes"), "attribute")
    SubElement(attribute, "name").text = STATUS
    SubElement(attribute, "value").text = box.status
