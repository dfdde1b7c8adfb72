"""A new class from a few patches without training: they become references of a bundle's metric network.

The latent space stays as it is. Source: system B of the reading asks for a model that is usable on the day a product
starts; classes by references after Snell et al. 2017.
Shapes: K patches of the new class, H x W pixels, M metadata values.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from glassline.analysis.unknown import UNKNOWN
from glassline.deploy.bundle import Bundle, Manifest, write_bundle
from glassline.deploy.references import REFERENCES, read_references
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import DataError, ModelError


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
        DataError: There is no patch, or the class is known already.
        ModelError: The bundle is of no metric network, or has a head that would have to be trained.
    """
    manifest = bundle.manifest
    if manifest.system != "B":
        raise ModelError(
            f"a class is enrolled into a metric network (system B), got a bundle of {manifest.model} (system "
            f"{manifest.system}); export triplet or siamese"
        )
    if manifest.head == "linear":
        raise ModelError("a class is enrolled by references, the head linear has learnt its classes; train with head knn")
    if not len(patch_KHW) or not label or label in (*manifest.classes, UNKNOWN):
        raise DataError(
            f"a new class needs a new name and at least one patch, got {label!r} beside {list(manifest.classes)} and "
            f"{len(patch_KHW)} patches; name it otherwise or add images"
        )
    references = read_references(bundle)
    grown = replace(
        references,
        embedding_RE=np.concatenate([references.embedding_RE, OnnxClassifier(bundle).embed(patch_KHW, metadata_KM)]),
        labels=(*references.labels, *[label] * len(patch_KHW)),
        data_hashes=(*references.data_hashes, *[data_hash] * len(patch_KHW)),
        prior={**references.prior, label: float(np.exp(np.mean(np.log(list(references.prior.values())))))},
    )
    # Its figures were taken without the new class.
    manifest = manifest.model_copy(update={"classes": (*manifest.classes, label), "enrolled": (*manifest.enrolled, label)})
    thresholds = dict(bundle.thresholds)
    thresholds["least_probability"] = {**thresholds.get("least_probability", {}), label: 0.0}
    return write_bundle(path, manifest, {**bundle.files, REFERENCES: grown.to_parquet()}, thresholds)
