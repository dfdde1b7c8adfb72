"""Images in one folder per class, or in one flat folder with the class in front of the number.

source/scratch/0001.png          class `scratch`: the first folder below the source
source/Scr_0001.jpg              class `Scr`: the name without its trailing number
"""

import re

from glassline.data.importers.records import Layout, Record, Source, say_foreign
from glassline.data.problems import Problems

_NUMBERED = re.compile(r"(?P<label>.*?[^\W\d_])[-_ ]*\d+")


def read_image_folder(source: Source, problems: Problems) -> Layout:
    """Return one record per image; sub-folders without images and mixed layouts are problems."""
    flat, folders = source.images(source.root), source.folders(source.root)
    if flat and folders:
        problems.add(
            source.root,
            f"images must lie either all in class folders or all in one folder, got {len(flat)} beside the folders "
            f"{', '.join(folder.name for folder in folders[:5])}; move them",
        )
        return Layout([])
    records = []
    say_foreign(source, source.root, problems)
    for folder in folders:
        images = source.images(folder, deep=True)
        if not images:
            problems.add(folder, "a class folder must hold images, got none; fill or delete it")
        records += [Record(source.reference(image), folder.name) for image in images]
    for image in flat:
        match = _NUMBERED.fullmatch(image.stem)
        if match is None:
            problems.add(
                image.name,
                "a file name in a flat folder must be a class and a number, such as Scr_0001.jpg; "
                "rename it or use one folder per class",
            )
        else:
            records.append(Record(source.reference(image), match["label"]))
    return Layout(records, clean_class=source.clean_class)
