"""CVAT XML, `CVAT for images 1.1`: annotations.xml beside the images or their folder `images`."""

from glassline.data.annotations.cvat import read_cvat_file
from glassline.data.importers.boxes import boxes_layout, one_file
from glassline.data.importers.records import Layout, Source
from glassline.data.problems import Problems


def read_cvat(source: Source, problems: Problems) -> Layout:
    """Return one record per image."""
    return boxes_layout(source, read_cvat_file(one_file(source, ".xml", "CVAT"), problems), problems)
