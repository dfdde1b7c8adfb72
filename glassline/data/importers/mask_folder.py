"""One folder per class, each image with a mask of the same name beside it (the magnetic tile layout).

    source/MT_Crack/Imgs/exp1_num_1.jpg   the image: any format but PNG
    source/MT_Crack/Imgs/exp1_num_1.png   its mask, not 0 on the defect

A prefix common to all class names, up to its last `_` or `-`, is left out of the class. Files in the
source's own folder belong to no class and are not read, apart from groups.csv.
"""

from pathlib import Path

from glassline.data.images import image_header, read_mask
from glassline.data.importers.records import Layout, Record, Source, say_foreign
from glassline.data.problems import Problems
from glassline.errors import DataError


def read_mask_folder(source: Source, problems: Problems) -> Layout:
    """Return one record per image; the class whose masks are all empty is the clean one."""
    folders = source.folders(source.root)
    prefix = _common_prefix([folder.name for folder in folders])
    records = []
    for folder in folders:
        say_foreign(source, folder, problems)
        files = source.images(folder, deep=True)
        masks = {file.with_suffix(""): file for file in files if file.suffix.lower() == ".png"}
        images = [file for file in files if file.suffix.lower() != ".png"]
        if not images:
            problems.add(folder, "a class folder must hold images beside their .png masks, got none; fill or delete it")
        for image in images:
            mask = masks.pop(image.with_suffix(""), None)
            label = folder.name.removeprefix(prefix)
            records.append(Record(source.reference(image), label, source.reference(mask) if mask else ""))
        for mask in masks.values():
            problems.add(
                source.reference(mask), "a mask must have an image of the same name beside it; add or delete it"
            )
    clean_class = source.clean_class or _class_of_empty_masks(source.root, records, problems)
    for record in records:
        if not record.mask and record.label != clean_class:
            problems.add(
                record.image,
                f"an image of the defect class {record.label!r} must have a mask, got none; "
                "add it, or name the clean class",
            )
    return Layout(records, clean_class=clean_class)


def _common_prefix(names: list[str]) -> str:
    if len(names) < 2:
        return ""
    first, last = min(names), max(names)  # whatever these two share, all in between share
    prefix = first[: next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]
    return prefix[: max(prefix.rfind("_"), prefix.rfind("-")) + 1]


def _class_of_empty_masks(root: Path, records: list[Record], problems: Problems) -> str:
    """Return the one class without a single mask pixel, or "" when there is none or more than one."""
    empty = []
    for label in sorted({record.label for record in records}):
        masks = [record.mask for record in records if record.label == label and record.mask]
        if not any(_marks_defect(root / mask, problems) for mask in masks):
            empty.append(label)
    return empty[0] if len(empty) == 1 else ""


def _marks_defect(mask: Path, problems: Problems) -> bool:
    try:
        width_px, height_px, _ = image_header(mask)
        return bool(read_mask(mask, (height_px, width_px)).any())
    except DataError as error:
        problems.add(mask.name, str(error))
        return True
