"""Label Studio JSON: a list of tasks, each an image with the annotation of a person and predictions of a model.

Places are percent of the image. Rectangles, also rotated ones, and polygons are read, each as the box
around it, with the status as a per-region choice named `status`. Brush masks (run lengths), ellipses and
key points are refused. A task without an annotation has not been looked at: it is listed as unlabelled. What a
task's data says besides its image, and the choices of CHOICES, are fields of the image.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlparse

from glassline.data.annotations.boxes import STATUS, AnnotatedImage, Annotations, Box, read_box, used_classes
from glassline.data.annotations.coco_objects import is_number
from glassline.data.annotations.cvat import Points, around, rotated
from glassline.data.problems import Problems
from glassline.data.storage import written_whole
from glassline.errors import DataError

# Label Studio puts eight hex digits before the name of an uploaded file.
_UPLOADED = re.compile(r"/upload/.*/[0-9a-f]{8}-([^/]+)$")
_SHAPES = {"rectanglelabels": "rectanglelabels", "polygonlabels": "polygonlabels"}
_OWN = {"image", "width", "height"}

#: Choices for a whole image: what was decided on it, and its class.
CHOICES = ("decision", "class")

_ROOT = "/data/local-files/?d=images/"


def read_label_studio_file(
    file: Path, problems: Problems, part: Literal["annotations", "predictions"] = "annotations"
) -> Annotations:
    """Return what the people said, or with `part` the model.

    Raises:
        DataError: The file is no JSON, or no list of tasks.
    """
    try:
        tasks = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} must be well-formed JSON ({error}); export it again") from error
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise DataError(
            f"{file} must be Label Studio's JSON, a list of tasks with data; export it as JSON, not JSON-MIN"
        )
    images, unlabelled = list[AnnotatedImage](), list[str]()
    for number, task in enumerate(tasks, start=1):
        where = f"task {task.get('id', number)}"
        name = _name(task["data"])
        if not name:
            problems.add(file.name, f"{where} must have data.image, got {task['data']!r:.80}; mend it")
            continue
        results = _results(task, part)
        if isinstance(results, str):
            problems.add(file.name, f"{where} of {name}: {results}")
        elif results is None:
            unlabelled.append(name)
        else:
            images.append(_image(name, task["data"], results, file, problems))
    return Annotations(images, used_classes(images), unlabelled)


def write_label_studio_file(annotations: Annotations, folder: Path) -> Path:
    """Write FOLDER/tasks.json: boxes with class and status, and choices for the image, as predictions, for a person to
    correct."""
    tasks = []
    for image in annotations.images:
        width, height = image.size_px or (0, 0)
        results = [
            item for number, box in enumerate(image.boxes) for item in _written(box, f"box{number}", width, height)
        ]
        results += [_choice_of(name, str(image.fields[name])) for name in CHOICES if name in image.fields]
        data: dict[str, Any] = {"image": f"{_ROOT}{image.name}", "width": width, "height": height}
        data |= {name: value for name, value in image.fields.items() if name not in CHOICES}
        tasks.append(
            {
                "data": data,
                "predictions": [{"model_version": "glassline", "result": results}],
            }
        )
    target = folder / "tasks.json"
    with written_whole(target) as beside:
        beside.write_text(json.dumps(tasks))
    return target


def _name(data: Any) -> str:
    """Return the file name of a task's image: an uploaded file, a served local file, or an object's URL."""
    url = data.get("image") if isinstance(data, dict) else None
    if not isinstance(url, str):
        return ""
    uploaded = _UPLOADED.search(url)
    if uploaded:
        return unquote(uploaded[1])
    parsed = urlparse(url)
    served = parse_qs(parsed.query).get("d")
    return (served[0] if served else unquote(parsed.path)).rpartition("/")[2]


def _results(task: dict[str, Any], part: str) -> list[Any] | str | None:
    """Return the regions of the one annotation that counts, None without any, or what is wrong."""
    found = task.get(part) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return f"{part} must be a list of objects, got {found!r:.60}; export it again"
    kept = [one for one in found if not one.get("was_cancelled")]
    kept = [one for one in kept if one.get("ground_truth")] or kept
    if len(kept) > 1:
        return f"a task must have one annotation, got {len(kept)}; mark one as ground truth or delete the others"
    if not kept:
        return None
    result = kept[0].get("result")
    if not isinstance(result, list) or not all(isinstance(item, dict) for item in result):
        return f"result must be a list of regions, got {result!r:.60}; export it again"
    return result


def _image(name: str, data: dict[str, Any], results: list[Any], file: Path, problems: Problems) -> AnnotatedImage:
    """Return one image; a task without regions states its size only when our own writer made it."""
    chosen: dict[str, Any] = {
        str(item.get("from_name")): _choice(item) for item in results if _is_choice(item, CHOICES)
    }
    results = [item for item in results if not _is_choice(item, CHOICES)]
    sizes = {(item.get("original_width"), item.get("original_height")) for item in results} or {
        (data.get("width"), data.get("height"))
    }
    width, height = next(iter(sizes))
    stated = len(sizes) == 1 and isinstance(width, int) and isinstance(height, int) and min(width, height) > 0
    fields: dict[str, Any] = {key: value for key, value in data.items() if key not in _OWN}
    image = AnnotatedImage(name, (width, height) if stated else None, where=file.name, fields=fields | chosen)
    statuses = {item.get("id"): _choice(item) for item in results if _is_choice(item, (STATUS,))}
    for number, item in enumerate(results, start=1):
        if _is_choice(item, (STATUS,)):
            continue
        found = _box(item, image.size_px, statuses.get(item.get("id")))
        if isinstance(found, Box):
            image.boxes.append(found)
        else:
            problems.add(file.name, f"region {number} of {name}: {found}")
    return image


def _is_choice(item: dict[str, Any], names: Sequence[str]) -> bool:
    return item.get("type") == "choices" and item.get("from_name") in names


def _choice(item: dict[str, Any]) -> Any:
    value = item.get("value")
    choices = value.get("choices") if isinstance(value, dict) else None
    return choices[0] if isinstance(choices, list) and len(choices) == 1 else choices


def _box(item: dict[str, Any], size_px: tuple[int, int] | None, status: Any) -> Box | str:
    """Return the box around a region, or what is wrong with it."""
    kind, value = item.get("type"), item.get("value")
    if kind not in _SHAPES or not isinstance(value, dict):
        return (
            f"a region must be one of {', '.join(_SHAPES)}, or a choice per region named {STATUS}, got {kind!r}; "
            "draw a rectangle instead, or delete it"
        )
    if size_px is None:
        return "original_width and original_height must be whole numbers, the same for all regions; export it again"
    labels = value.get(kind)
    if not isinstance(labels, list) or len(labels) != 1 or not isinstance(labels[0], str) or not labels[0]:
        return f"a region must have one label, got {labels!r:.60}; mend it"
    points = _points(value, kind, size_px)
    if isinstance(points, str):
        return points
    return read_box(labels[0], around(points), size_px, status)


def _points(value: dict[str, Any], kind: str, size_px: tuple[int, int]) -> Points | str:
    """Return corners in px, or what is wrong with them."""
    scale_x, scale_y = size_px[0] / 100, size_px[1] / 100
    if kind == "polygonlabels":
        pairs = value.get("points")
        if not isinstance(pairs, list) or len(pairs) < 3 or not all(map(_is_pair, pairs)):
            return f"points must be at least three pairs of percent, got {pairs!r:.60}; mend or delete it"
        return [(x * scale_x, y * scale_y) for x, y in pairs]
    numbers: list[Any] = [value.get(name) for name in ("x", "y", "width", "height")]
    angle_deg: Any = value.get("rotation", 0)
    if not all(map(is_number, [*numbers, angle_deg])):
        return f"x, y, width, height and rotation must be numbers in percent, got {numbers}; mend or delete it"
    x, y, width, height = (number * scale for number, scale in zip(numbers, (scale_x, scale_y) * 2, strict=True))
    if width <= 0 or height <= 0:
        return f"a box must have a positive size, got {width:g} x {height:g} px; mend or delete it"
    # Label Studio turns a rectangle around its first corner.
    return rotated([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], (x, y), angle_deg)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_number, value))


def _choice_of(name: str, value: str) -> dict[str, Any]:
    """Return a choice for the whole image."""
    return {"id": name, "from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [value]}}


def _written(box: Box, region: str, width: int, height: int) -> list[dict[str, Any]]:
    """Return the regions of one box: its rectangle, and its status unless it is confirmed."""
    x, y, box_width, box_height = box.bbox
    place = {
        "x": x / width * 100, "y": y / height * 100, "width": box_width / width * 100,
        "height": box_height / height * 100, "rotation": 0,
    }  # fmt: skip
    common = {"id": region, "to_name": "image", "original_width": width, "original_height": height}
    kind = "rectanglelabels"
    found = [{**common, "from_name": "label", "type": kind, "value": {**place, kind: [box.label]}}]
    if box.status != "confirmed":
        found.append({**common, "from_name": STATUS, "type": "choices", "value": {**place, "choices": [box.status]}})
    return found
