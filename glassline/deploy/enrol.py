"""A new class from a few patches without training: they become references of a bundle's metric network.

The latent space stays as it is. Source: system B of the reading asks for a model that is usable on the day a product
starts; classes by references after Snell et al. 2017.
Shapes: K patches of the new class, H x W pixels, M metadata values.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.analysis.unknown import UNKNOWN
from glassline.data.names import LONGEST, plain_name
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardReader
from glassline.deploy.bundle import Bundle, Manifest, write_bundle
from glassline.deploy.references import REFERENCES, ReferenceSet, read_references
from glassline.deploy.runtime import OnnxClassifier
from glassline.deploy.thresholds import LEAST_PROBABILITY, class_thresholds
from glassline.errors import DataError, ModelError
from glassline.vision.patches import ExtractSettings, extract_patches


def enrol_images(
    bundle: Bundle, table: SampleTable, label: str, path: str | Path, progress: Callable[[int, int], None]
) -> tuple[Manifest, int, int]:
    """Write a bundle that knows one class more, from images; see `enrol_class`.

    Candidates are found with the bundle's own settings. Masks and boxes say which of them are the defect; where an
    image has neither, its strongest candidate is. What repeats in place is not looked for: among a few images of one
    defect the defect itself repeats.

    Args:
        bundle: Of a triplet or Siamese network.
        table: Table of images.
        label: Name of the new class, a class of the table.
        path: The zip to write.
        progress: Called with (images done, images in all).

    Returns:
        The manifest, how many patches were enrolled, and of how many images.

    Raises:
        DataError: No candidate is of the class, or see `enrol_class`.
        ModelError: Candidates lack a column that the bundle reads, or see `enrol_class`.
    """
    check_enrolable(bundle, label)
    settings = ExtractSettings.parse(bundle.manifest.preprocessing["extract"]).model_copy(update={"systematic": False})
    with tempfile.TemporaryDirectory() as store:
        patches, _ = extract_patches(table, store, settings, progress)
        rows = _of_class(patches.rows, label, settings.min_overlap)
        if rows.empty:
            raise DataError(
                f"an image must show {label!r}, got {len(table.rows)} images of {list(table.classes)} and no candidate "
                "of it; check the label's name, masks and boxes"
            )
        missing = sorted(set(bundle.manifest.attributes) - set(rows.columns))
        if missing:
            raise ModelError(f"the bundle reads the columns {missing}, candidates have none such; export it again")
        patch_KHW = ShardReader(patches.root, "patch").read(rows["shard"], rows["row"])
    metadata_KM = rows[list(bundle.manifest.attributes)].to_numpy(np.float32)
    return (
        enrol_class(bundle, label, patch_KHW, metadata_KM, table.content_hash(), path),
        len(rows),
        rows["image"].nunique(),
    )


def _of_class(rows: pd.DataFrame, label: str, min_overlap: float) -> pd.DataFrame:
    """Return the candidates of a class: those on an annotation, and of an image without one the strongest."""
    rows = rows[rows["label"] == label]
    # Without a clean class, a candidate beside the annotation carries the image's label too.
    on_it = rows["has_mask"] & (rows["overlap"] >= min_overlap)
    return rows[on_it | (~rows["has_mask"] & ~rows["image"].duplicated())]


def enrol_class(
    bundle: Bundle, label: str, patch_KHW: npt.NDArray[np.uint8], metadata_KM: npt.NDArray[np.float32], data_hash: str,
    path: str | Path,
) -> Manifest:  # fmt: skip
    """Write a bundle that knows one class more; the one given is left as it is.

    The new class's prior is the geometric mean of the known ones: nobody knows yet how often it will be met.

    Args:
        bundle: Of a triplet or Siamese network with the head `knn` or `centroid`.
        label: Name of the new class.
        patch_KHW: Its patches, grey levels 0 to 255, made with the bundle's own settings.
        metadata_KM: Their metadata in the bundle's column order, NaN where unknown.
        data_hash: Content hash of the samples that the patches come from.
        path: The zip to write.

    Raises:
        DataError: There is no patch, the class is known already, or is called `unknown`.
        ModelError: The bundle is of no metric network, or has a head that would have to be trained.
    """
    references = check_enrolable(bundle, label)
    if not len(patch_KHW):
        raise DataError(f"a new class needs at least one patch, got none of {label!r}; add images")
    prior = {name: value for name, value in references.prior.items() if name in references.labels}
    grown = replace(
        references,
        embedding_RE=np.concatenate([references.embedding_RE, OnnxClassifier(bundle).embed(patch_KHW, metadata_KM)]),
        labels=(*references.labels, *[label] * len(patch_KHW)),
        data_hashes=(*references.data_hashes, *[data_hash] * len(patch_KHW)),
        prior={**references.prior, label: float(np.exp(np.mean(np.log(list(prior.values())))))},
    )
    classes = tuple(dict.fromkeys((*bundle.manifest.classes, label)))
    known = {"classes": classes, "enrolled": (*bundle.manifest.enrolled, label)}
    before = class_thresholds(bundle)
    thresholds = {**before.model_dump(), LEAST_PROBABILITY: {label: 0.0, **before.least_probability}}
    told = (
        f"\n## Enrolled\n\n`{label}` from {len(patch_KHW)} references, without training; the figures above lack it.\n"
    )
    files = {
        **bundle.files, REFERENCES: grown.to_parquet(), "card.md": bundle.files.get("card.md", b"") + told.encode(),
    }  # fmt: skip
    return write_bundle(path, bundle.manifest.model_copy(update=known), files, thresholds)


def check_enrolable(bundle: Bundle, label: str) -> ReferenceSet:
    """Return the bundle's references, or say why the class cannot be enrolled.

    Raises:
        DataError: The name is no class's name, or that of a class with references.
        ModelError: The bundle is of no metric network, or has a head that would have to be trained.
    """
    manifest = bundle.manifest
    if manifest.system != "B":
        raise ModelError(
            f"a class is enrolled into a metric network (system B), got a bundle of {manifest.model} (system "
            f"{manifest.system}); export triplet or siamese"
        )
    if manifest.head == "linear":
        raise ModelError(
            "a class is enrolled by references, the head linear has learnt its classes; train with head knn"
        )
    if not label.strip() or plain_name(label) != label or len(label) > LONGEST:
        raise DataError(
            f"a class's name must be 1 to {LONGEST} letters, digits, spaces, `_`, `-` or `.`, got {label[:200]!r}; "
            "name it otherwise"
        )
    references = read_references(bundle)
    # A class that no training row showed has a place in the graph's output, but no reference yet.
    if label in references.labels or label.lower() in {UNKNOWN, *map(str.lower, set(manifest.classes) - {label})}:
        raise DataError(
            f"a new class needs a new name, got {label!r} beside {list(manifest.classes)}; name it otherwise"
        )
    return references
