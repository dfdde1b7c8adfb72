"""Capture: a session of the rig in, a table of labelled zones out."""

from typing import NamedTuple

from kfp import dsl

from components.close_run.component import close_run
from components.import_labels.component import import_labels
from components.ingest_captures.component import ingest_captures
from components.merge_labels.component import merge_labels
from components.propose_labels.component import propose_labels
from components.verify_captures.component import verify_captures
from pipelines.cluster import placed, whole_run


class Collected(NamedTuple):
    """What the body hands on: the table of zones by reference, and its content hash."""

    samples: dsl.Dataset
    content_hash: str


@dsl.pipeline(name="collect", description="A session of the rig in, a table of labelled zones out.")
def collect(
    session: str,
    session_hash: str,
    captures: str,
    annotations: str,
    annotations_sha256: str,
    annotations_format: str,
    label_model: str,
    label_model_sha256: str,
    merge: dict,
    proposals: bool,
    propose: dict,
) -> Collected:
    """Wire the steps up to the table of images: what `capture` and `end_to_end` share."""
    moved = placed(ingest_captures(session=session, session_hash=session_hash, captures=captures))
    verified = placed(verify_captures(zones=moved.output))
    with dsl.If(proposals == True, name="propose"):  # noqa: E712 - kfp builds the condition of it
        placed(
            propose_labels(
                zones=verified.output, annotations_format=annotations_format, model=label_model,
                model_sha256=label_model_sha256, propose=propose,
            )
        )  # fmt: skip
    merged = placed(
        merge_labels(
            zones=verified.output, annotations=annotations, annotations_sha256=annotations_sha256,
            annotations_format=annotations_format, model=label_model, model_sha256=label_model_sha256, merge=merge,
        )
    )  # fmt: skip
    imported = placed(import_labels(labels=merged.outputs["labels"]))
    return Collected(samples=imported.outputs["samples"], content_hash=imported.outputs["Output"])


@dsl.pipeline(
    name="capture", description="A session of the rig in, a table of labelled zones out.", pipeline_config=whole_run()
)
def capture(
    session: str,
    session_hash: str,
    captures: str,
    annotations: str,
    annotations_sha256: str,
    annotations_format: str,
    label_model: str,
    label_model_sha256: str,
    merge: dict,
    proposals: bool,
    propose: dict,
):
    """Wire the steps; every argument is made by `CaptureSettings.arguments`."""
    with dsl.ExitHandler(placed(close_run())):
        collect(
            session=session, session_hash=session_hash, captures=captures, annotations=annotations,
            annotations_sha256=annotations_sha256, annotations_format=annotations_format, label_model=label_model,
            label_model_sha256=label_model_sha256, merge=merge, proposals=proposals, propose=propose,
        )  # fmt: skip
