"""Pascal VOC: Annotations/*.xml beside JPEGImages/.

Boxes count pixels from 1 and include both corners, as VOC defines them. XML that declares entities is
refused: they can blow a small file up to gigabytes.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from glassline.data.importers.boxes import checked_box, image_label
from glassline.data.importers.records import Layout, Problems, Record, Source

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_voc(source: Source, problems: Problems) -> Layout:
    """Return one record per annotation file; an image without one is a problem."""
    folders = [source.root / name for name in ("Annotations", "JPEGImages")]
    for folder in folders:
        if not folder.is_dir():
            problems.add(source.root, f"a voc source must have the folder {folder.name}, got none; check the path")
            return Layout([])
    records = []
    for file in sorted(folders[0].glob("*.xml")):
        record = _read_record(source, file, problems)
        if record is not None:
            records.append(record)
    annotated = {record.image for record in records}
    for image in source.images(folders[1]):
        has_file = (folders[0] / f"{image.stem}.xml").is_file()
        if source.reference(image) not in annotated and not has_file:
            problems.add(source.reference(image), "an image must have an annotation file; add one or delete the image")
    return Layout(records, clean_class=source.clean_class)


def _read_record(source: Source, file: Path, problems: Problems) -> Record | None:
    where = source.reference(file)
    try:
        tree = ElementTree.parse(file, forbid_dtd=False)
        size = (int(_text(tree, "size/width")), int(_text(tree, "size/height")))
        image = f"JPEGImages/{_text(tree, 'filename')}"
        objects = [_object(item, size) for item in tree.iter("object")]
    except DefusedXmlException as error:
        problems.add(where, f"an annotation must not declare entities, got {type(error).__name__}; export it without")
    except (ElementTree.ParseError, ValueError, OSError) as error:
        problems.add(where, f"an annotation must be well-formed VOC XML ({error}); export it again")
    else:
        label = image_label(objects, source.clean_class)
        if label:
            return Record(image, label, objects=objects, size_px=size)
        problems.add(where, "an image without objects needs a clean class, got none; name it by clean_class")
    return None


def _object(item: "Element", size: tuple[int, int]) -> dict[str, Any]:
    label = _text(item, "name")
    xmin, ymin, xmax, ymax = (float(_text(item, f"bndbox/{corner}")) for corner in ("xmin", "ymin", "xmax", "ymax"))
    box, problem = checked_box(xmin - 1, ymin - 1, xmax - xmin + 1, ymax - ymin + 1, size)
    if problem:
        raise ValueError(f"object {label!r}: {problem}")
    return {"label": label, "bbox": box, "segmentation": None}


def _text(item: Any, path: str) -> str:
    text = (item.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"the element {path} is missing or empty")
    return text
