"""DAGM 2007: textures with and without a defect, coarse ellipse masks in `Label`.

    source/labels.csv                       image,defect,mask with defect 0 or 1, mask empty when 0
    source/0002.PNG, source/Label/0002_label.PNG

or the layout as published, one or more classes of texture:

    source/Class1/Train/0002.PNG, source/Class1/Train/Label/0002_label.PNG

where an image is defective when it has a mask; its texture class becomes the product. Labels.txt
repeats what the masks say and is not read.
"""

from pathlib import Path

from glassline.data.importers.records import Layout, Record, Source, csv_lines
from glassline.data.problems import Problems

CLASSES = ("clean", "defect")


def read_dagm(source: Source, problems: Problems) -> Layout:
    """Return one record per image, class `clean` or `defect`."""
    listed = source.root / "labels.csv"
    records = _from_csv(source, listed, problems) if listed.is_file() else _as_published(source, problems)
    return Layout(records, CLASSES, "clean")


def _from_csv(source: Source, file: Path, problems: Problems) -> list[Record]:
    records = []
    for number, line in csv_lines(file, ("image", "defect", "mask"), problems):
        image, defect, mask = line["image"], line["defect"], line["mask"]
        if defect not in {"0", "1"} or (defect == "1") != bool(mask):
            problems.add(
                file.name,
                f"line {number} must have defect 0 without mask or 1 with one, got defect {defect!r} and "
                f"mask {mask!r} for {image}; mend the line",
            )
        records.append(Record(image, CLASSES[defect == "1"], f"Label/{mask}" if mask else ""))
    known = {record.image for record in records} | {record.mask for record in records}
    for path in [*source.images(source.root), *_masks(source, source.root)]:
        if source.reference(path) not in known:
            problems.add(source.reference(path), "every image and mask must be in labels.csv; add a line or delete it")
    return records


def _as_published(source: Source, problems: Problems) -> list[Record]:
    records = []
    halves = [path for path in [source.root, *sorted(source.root.rglob("*"))] if (path / "Label").is_dir()]
    for half in halves:
        masks = {path.stem.removesuffix("_label"): path for path in _masks(source, half)}
        texture = half.parent.name if half.name in {"Train", "Test"} else half.name
        product = source.product or (texture if texture.startswith("Class") else "")
        for image in source.images(half):
            mask = masks.pop(image.stem, None)
            label, reference = (CLASSES[1], source.reference(mask)) if mask else (CLASSES[0], "")
            records.append(Record(source.reference(image), label, reference, product=product))
        for mask in masks.values():
            problems.add(source.reference(mask), "a mask must have an image of its number; add or delete it")
    return records


def _masks(source: Source, folder: Path) -> list[Path]:
    return source.images(folder / "Label") if (folder / "Label").is_dir() else []
