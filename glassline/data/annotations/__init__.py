"""Annotation files of labelling software, read without their pictures and written for them.

Add a format: one module that reads and writes it, one entry in FORMATS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from glassline.data.annotations.boxes import Annotations
from glassline.data.annotations.coco import read_coco_file, write_coco_file
from glassline.data.annotations.cvat import read_cvat_file, write_cvat_file
from glassline.data.annotations.label_studio import read_label_studio_file, write_label_studio_file
from glassline.data.annotations.voc import IMAGES, read_voc_folder, write_voc_folder
from glassline.data.problems import Problems

__all__ = ["FORMATS", "Format"]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        read: File, for voc a folder, and where to note bad records.
        write: Annotations and a folder; returns what `read` takes.
        images: Folder beside the annotations where the format expects the pictures.
    """

    read: Callable[[Path, Problems], Annotations]
    write: Callable[[Annotations, Path], Path]
    images: str = "images"


FORMATS = {
    "coco": Format(read_coco_file, write_coco_file),
    "voc": Format(read_voc_folder, write_voc_folder, IMAGES),
    "cvat": Format(read_cvat_file, write_cvat_file),
    "label-studio": Format(read_label_studio_file, write_label_studio_file),
}
