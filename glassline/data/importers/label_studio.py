"""Label Studio JSON: the exported list of tasks beside the images or their folder `images`."""

from glassline.data.annotations.label_studio import read_label_studio_file
from glassline.data.importers.boxes import boxes_layout, one_file
from glassline.data.importers.records import Layout, Source
from glassline.data.problems import Problems


def read_label_studio(source: Source, problems: Problems) -> Layout:
    """Return one record per task; a task without an annotation is a problem."""
    found = read_label_studio_file(one_file(source, ".json", "Label Studio"), problems)
    return boxes_layout(source, found, problems)
