"""Where the images lie that labels speak of, told without decoding one."""

from pathlib import Path

from glassline.data.importers import LAYOUTS, folder_and_file
from glassline.data.importers.captures import local_label_file
from glassline.data.importers.records import Source
from glassline.data.labels import read_labels
from glassline.data.problems import Problems
from glassline.errors import DataError


def check_there(captures: str, labels: str) -> None:
    """Refuse captures or labels of this machine that are missing.

    Raises:
        DataError: One of them is.
    """
    for what, place in (("labels", labels), ("captures", captures)):
        if "://" not in place and not Path(place).exists():
            raise DataError(f"{what} must be an existing file or folder, got {place}; check the path")


def check_labels_speak_of(captures: str, labels: str, layout: str) -> None:
    """Refuse labels of other images than those of a folder, and labels of none.

    Args:
        captures: Folder or S3 URL of the images or captures.
        labels: What `read_source` takes: a label file, or a folder of labelled images; a path or an S3 URL.
        layout: One of LAYOUTS. Of images in S3 the folders are compared, not each image.

    Raises:
        DataError: Labels label nothing, break a rule, or speak of images elsewhere.
        StorageError: S3 does not answer.
    """
    if layout == "captures":
        with local_label_file(labels) as file:
            found = [read_labels(file).captures]
    elif "://" in labels:
        found = [folder_and_file(labels)[0]]
        if _below(captures, found[0]):  # only a part of the folder that is read holds images
            return
    else:
        found = _images(Path(labels), layout)
    if stray := [place for place in found if not _below(place, captures)]:
        raise DataError(
            f"labels must speak of images below {captures}, {labels} speaks of {stray[0]}"
            f"{f' and {len(stray) - 1} others' if len(stray) > 1 else ''} elsewhere; name the folder that they label"
        )


def _images(labels: Path, layout: str) -> list[str]:
    """Return the paths of labelled images."""
    problems = Problems(labels)
    source = Source.at(labels, layout, product="", cycle="", clean_class="", name=layout)
    found = LAYOUTS[layout](source, problems)
    problems.raise_if_any()
    if not found.records:
        raise DataError(f"labels must label at least one image, {labels} labels none; check the file or its format")
    return [str(source.root / record.image) for record in found.records]


def _below(place: str, folder: str) -> bool:
    """Tell whether a place is a folder or lies in it."""
    if "://" in place or "://" in folder:
        return f"{place.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")
    return Path(place).resolve().is_relative_to(Path(folder).resolve())
