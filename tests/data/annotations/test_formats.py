"""What is written in a format reads back as it was."""

import numpy as np
import pytest

from glassline.data.annotations import FORMATS
from glassline.data.annotations.boxes import STATUSES, AnnotatedImage, Annotations, Box
from glassline.data.annotations.label_studio import read_label_studio_file
from glassline.data.problems import Problems


def _annotations(seed: int) -> Annotations:
    generator = np.random.default_rng(seed)
    images = []
    for zone, size_px in enumerate(((3504, 3120), (1024, 1024), (97, 31))):
        boxes = []
        for number in range(zone * 3):  # the first has none
            x, y = generator.uniform(0, 0.5, 2) * size_px
            width, height = generator.uniform(0.01, 0.5, 2) * size_px
            bbox = tuple(round(float(value), 3) for value in (x, y, width, height))
            boxes.append(Box(("scratch", "dent")[number % 2], bbox, STATUSES[number % len(STATUSES)]))
        images.append(AnnotatedImage(f"G0001_marked_{zone:02d}.png", size_px, boxes))
    return Annotations(images, ("dent", "scratch"))


def _read_back(name, file, problems):
    if name == "label-studio":  # what goes out is the model's opinion, never a person's
        return read_label_studio_file(file, problems, "predictions")
    return FORMATS[name].read(file, problems)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("seed", [0, 1])
def test_format_reads_back_what_it_wrote(name, seed, tmp_path):
    annotations, problems = _annotations(seed), Problems("x")
    file = FORMATS[name].write(annotations, tmp_path)
    assert _read_back(name, file, problems) == annotations
    problems.raise_if_any()


@pytest.mark.parametrize("name", ["coco", "cvat"])
def test_format_keeps_classes_without_a_box_in_their_order(name, tmp_path):
    annotations = Annotations([AnnotatedImage("G1_clean_00.png", (9, 9))], ("scratch", "mold", "dent"))
    assert FORMATS[name].read(FORMATS[name].write(annotations, tmp_path), Problems("x")) == annotations


def test_predictions_are_no_annotations_of_a_person(tmp_path):
    file = FORMATS["label-studio"].write(_annotations(0), tmp_path)
    found = FORMATS["label-studio"].read(file, Problems("x"))
    assert (found.images, found.unlabelled) == ([], [f"G0001_marked_{zone:02d}.png" for zone in range(3)])


def test_voc_needs_a_folder_with_annotations(tmp_path):
    with pytest.raises(ValueError, match="must be a folder of VOC annotations"):
        FORMATS["voc"].read(tmp_path, Problems("x"))
