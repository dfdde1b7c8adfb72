"""CVAT XML, `CVAT for images 1.1`: one file with every image, its shapes and their attributes.

Boxes, also rotated ones, polygons and polylines are read, each as the box around it; a polygon is kept as
segmentation too. Masks, points, ellipses, cuboids, skeletons and tags are refused.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from glassline.data.annotations.boxes import STATUS, AnnotatedImage, Annotations, Box, read_box, used_classes
from glassline.data.annotations.safe_xml import read_xml
from glassline.data.problems import Problems
from glassline.data.storage import written_whole
from glassline.errors import DataError

Points = list[tuple[float, float]]


def read_cvat_file(file: Path, problems: Problems) -> Annotations:
    """Return what a file says; classes in the order of its task's labels.

    Raises:
        DataError: The file declares entities, is not well-formed, or is no export for images.
    """
    try:
        root = read_xml(file, "CVAT")
    except DataError as error:
        raise DataError(f"{file}: {error}") from error
    if root.tag != "annotations" or root.find("track") is not None:
        got = "tracks of a video" if root.find("track") is not None else f"the element {root.tag}"
        raise DataError(f"{file} must be an export `CVAT for images 1.1`, got {got}; export it in that format")
    # Under meta/task, meta/project or meta/job, whatever was exported.
    listed = [
        name for label in root.iterfind("meta/*/labels/label") if (name := (label.findtext("name") or "").strip())
    ]
    images = [image for item in root.iterfind("image") if (image := _image(item, file, listed, problems))]
    return Annotations(images, tuple(dict.fromkeys(listed)) or used_classes(images))


def write_cvat_file(annotations: Annotations, folder: Path) -> Path:
    """Write FOLDER/annotations.xml: boxes with class, status and fields."""
    root = Element("annotations")
    SubElement(root, "version").text = "1.1"
    labels = SubElement(SubElement(SubElement(root, "meta"), "task"), "labels")
    for name in annotations.classes:
        SubElement(SubElement(labels, "label"), "name").text = name
    for number, image in enumerate(annotations.images):
        width, height = image.size_px or (0, 0)
        item = SubElement(root, "image", id=str(number), name=image.name, width=str(width), height=str(height))
        for box in image.boxes:
            x, y, box_width, box_height = box.bbox
            corners = {"xtl": x, "ytl": y, "xbr": x + box_width, "ybr": y + box_height}
            places = {corner: f"{value:.10g}" for corner, value in corners.items()}
            about = {"label": box.label, "source": "auto", "occluded": "0", "z_order": "0"}
            shape = SubElement(item, "box", about | places)
            for attribute, value in {STATUS: box.status, **box.fields}.items():
                SubElement(shape, "attribute", name=attribute).text = value
    indent(root)
    target = folder / "annotations.xml"
    with written_whole(target) as beside:
        ElementTree(root).write(beside, encoding="utf-8", xml_declaration=True)
    return target


def _image(item: Element, file: Path, listed: list[str], problems: Problems) -> AnnotatedImage | None:
    name = item.get("name") or ""
    try:
        size_px = (int(item.get("width") or ""), int(item.get("height") or ""))
    except ValueError:
        size_px = (0, 0)
    if not name or min(size_px) < 1:
        problems.add(
            file.name, f"image {item.get('id')} must have a name, width and height, got {item.attrib}; mend it"
        )
        return None
    image = AnnotatedImage(name, size_px, where=file.name)
    for number, shape in enumerate(item, start=1):
        found = _box(shape, size_px, listed)
        if isinstance(found, Box):
            image.boxes.append(found)
        else:
            problems.add(file.name, f"{shape.tag} number {number} of {name}: {found}")
    return image


def _box(shape: Element, size_px: tuple[int, int], listed: list[str]) -> Box | str:
    """Return the box around a shape, or what is wrong with it."""
    if shape.tag not in _POINTS:
        return f"a shape must be one of {', '.join(_POINTS)}, got {shape.tag}; draw a box instead, or delete it"
    label = (shape.get("label") or "").strip()
    if not label or (listed and label not in listed):
        return f"a label must be among {listed}, got {label!r}; add it to the task or mend the shape"
    try:
        points = _POINTS[shape.tag](shape)
    except ValueError as error:
        return f"its place must be numbers in px ({error}); mend or delete it"
    if not all(math.isfinite(value) for point in points for value in point):
        return f"its place must be finite numbers in px, got {points}; mend or delete it"
    attributes = {one.get("name") or "": (one.text or "").strip() for one in shape.iterfind("attribute")}
    status = attributes.pop(STATUS, "") or None
    segmentation = [[value for point in points for value in point]] if shape.tag == "polygon" else None
    return read_box(label, around(points), size_px, status, segmentation, attributes)


def around(points: Points) -> tuple[float, float, float, float]:
    """Return x, y, width, height around points."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def rotated(corners: Points, pivot: tuple[float, float], angle_deg: float) -> Points:
    """Return points turned around a pivot, clockwise as seen on an image."""
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    px, py = pivot
    return [(px + (x - px) * cos - (y - py) * sin, py + (x - px) * sin + (y - py) * cos) for x, y in corners]


def _of_box(shape: Element) -> Points:
    left, top, right, bottom = (float(shape.get(name) or "") for name in ("xtl", "ytl", "xbr", "ybr"))
    angle_deg = float(shape.get("rotation") or 0)
    if right <= left or bottom <= top:
        raise ValueError(f"a box must have a positive size, got {right - left:g} x {bottom - top:g} px")
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return rotated(corners, ((left + right) / 2, (top + bottom) / 2), angle_deg)


def _listed_points(shape: Element, least: int) -> Points:
    pairs = [pair.split(",") for pair in (shape.get("points") or "").split(";")]
    if len(pairs) < least or any(len(pair) != 2 for pair in pairs):
        raise ValueError(f"at least {least} points x,y are needed, got {shape.get('points')!r:.60}")
    return [(float(x), float(y)) for x, y in pairs]


def _of_polygon(shape: Element) -> Points:
    return _listed_points(shape, 3)


def _of_polyline(shape: Element) -> Points:
    points = _listed_points(shape, 2)
    return list(_half_a_pixel_around(points))


def _half_a_pixel_around(points: Points) -> Iterator[tuple[float, float]]:
    """Yield points around a line, which has no width itself: a straight one would have an empty box."""
    for x, y in points:
        yield x - 0.5, y - 0.5
        yield x + 0.5, y + 0.5


_POINTS: dict[str, Callable[[Any], Points]] = {"box": _of_box, "polygon": _of_polygon, "polyline": _of_polyline}
