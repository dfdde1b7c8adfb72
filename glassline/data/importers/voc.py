"""Pascal VOC: Annotations/*.xml beside JPEGImages/."""

from glassline.data.annotations.voc import ANNOTATIONS, IMAGES, read_voc_file
from glassline.data.importers.boxes import labelled_record
from glassline.data.importers.records import Layout, Source
from glassline.data.problems import Problems


def read_voc(source: Source, problems: Problems) -> Layout:
    """Return one record per annotation file; an image without one is a problem."""
    folders = [source.root / name for name in (ANNOTATIONS, IMAGES)]
    for folder in folders:
        if not folder.is_dir():
            problems.add(source.root, f"a voc source must have the folder {folder.name}, got none; check the path")
            return Layout([])
    records = []
    for file in sorted(folders[0].glob("*.xml")):
        image = read_voc_file(file, source.reference(file), problems)
        record = labelled_record(image, f"{IMAGES}/{image.name}", source.clean_class, problems) if image else None
        if record is not None:
            records.append(record)
    annotated = {record.image for record in records}
    for path in source.images(folders[1]):
        has_file = (folders[0] / f"{path.stem}.xml").is_file()
        if source.reference(path) not in annotated and not has_file:
            problems.add(source.reference(path), "an image must have an annotation file; add one or delete the image")
    return Layout(records, clean_class=source.clean_class)
