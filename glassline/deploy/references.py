"""The reference set of a bundle: what a metric network reads classes from; `reference.parquet`, needs no torch.

One row per reference: `label`, `data_hash` of the samples it comes from, `embedding`. The file's own metadata say which
graph made the embeddings, on which samples that was trained, and how often each class is met.
Shapes: R references, E numbers of an embedding, C classes.
"""

import hashlib
import io
import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from glassline.deploy.bundle import Bundle
from glassline.errors import ModelError

#: File of the bundle.
REFERENCES = "reference.parquet"

_ABOUT = b"glassline"


@dataclass(frozen=True)
class ReferenceSet:
    """References and where they come from.

    Attributes:
        embedding_RE: Embeddings, float32.
        labels: Class of each.
        data_hashes: Content hash of the samples that each comes from.
        prior: How often each class is met, by name.
        trained_on: Content hash of the samples that the graph was trained on.
        graph_sha256: Hash of the graph that made the embeddings.
    """

    embedding_RE: npt.NDArray[np.float32]
    labels: tuple[str, ...]
    data_hashes: tuple[str, ...]
    prior: dict[str, float]
    trained_on: str
    graph_sha256: str

    def to_parquet(self) -> bytes:
        """Return the file; equal content gives equal bytes."""
        width = self.embedding_RE.shape[1]
        embedding = pa.FixedSizeListArray.from_arrays(pa.array(self.embedding_RE.ravel(), pa.float32()), width)
        columns = {"label": self.labels, "data_hash": self.data_hashes, "embedding": embedding}
        about = {"prior": self.prior, "trained_on": self.trained_on, "graph_sha256": self.graph_sha256}
        told, table = io.BytesIO(), pa.table(columns)
        pq.write_table(table.replace_schema_metadata({_ABOUT: json.dumps(about).encode()}), told)
        return told.getvalue()

    def inputs(self, classes: tuple[str, ...]) -> dict[str, npt.NDArray[np.float32]]:
        """Return what the graph is handed beside a patch: `reference` (R, E), `member` (R, C) and `log_prior` (C,).

        Args:
            classes: Class names in the order of the graph's output.
        """
        member_RC = np.array(self.labels)[:, None] == np.array(classes)[None]
        log_prior_C = np.log([self.prior[name] for name in classes])
        return {
            "reference": self.embedding_RE,
            "member": member_RC.astype(np.float32),
            "log_prior": log_prior_C.astype(np.float32),
        }


def read_references(bundle: Bundle) -> ReferenceSet:
    """Return the references of a bundle.

    Raises:
        ModelError: There are none, the file is damaged, or it belongs to another graph, data set or list of classes.
    """
    if REFERENCES not in bundle.files:
        raise ModelError(
            f"a bundle of {bundle.manifest.model} must hold {REFERENCES}, got {sorted(bundle.files)}; export it again"
        )
    try:
        table = pq.read_table(io.BytesIO(bundle.files[REFERENCES]))
        told = json.loads(table.schema.metadata[_ABOUT])
        found = ReferenceSet(
            np.array(table["embedding"].to_pylist(), np.float32), tuple(map(str, table["label"].to_pylist())),
            tuple(map(str, table["data_hash"].to_pylist())),
            {str(name): float(value) for name, value in told["prior"].items()}, str(told["trained_on"]),
            str(told["graph_sha256"]),
        )  # fmt: skip
    except (pa.ArrowException, OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{REFERENCES} must be as it was written ({error}); export the bundle again") from error
    _check(found, bundle)
    return found


def _check(found: ReferenceSet, bundle: Bundle) -> None:
    manifest, graph = bundle.manifest, hashlib.sha256(bundle.files["model.onnx"]).hexdigest()
    if found.trained_on != manifest.data_hash:
        raise ModelError(
            f"references must come from the samples that the network was trained on, data hash "
            f"{manifest.data_hash[:16]}, got {found.trained_on[:16]}: their distances mean nothing here; export the "
            "bundle again, or enrol the classes with `glassline enrol`"
        )
    if found.graph_sha256 != graph:
        raise ModelError(
            f"references must be embedded by the bundle's own graph, {graph[:16]}, got {found.graph_sha256[:16]}; "
            "export the bundle again"
        )
    unknown = sorted(set(found.labels) - set(manifest.classes))
    if unknown or set(found.prior) != set(manifest.classes):
        raise ModelError(
            f"references must be of the bundle's classes {list(manifest.classes)}, got "
            f"{unknown or sorted(found.prior)}; export the bundle again"
        )
    inside = found.embedding_RE.ndim == 2 and ((found.embedding_RE >= 0) & (found.embedding_RE <= 1)).all()
    if not inside or not all(0 < value < np.inf for value in found.prior.values()):
        raise ModelError(
            f"{REFERENCES} must hold embeddings in [0, 1] of one width and priors above 0, got others; export the "
            "bundle again"
        )
