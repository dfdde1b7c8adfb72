"""`glassline compile`: pipelines as YAML for a cluster."""

import os
from pathlib import Path
from typing import Annotated

import typer

from glassline.errors import SettingsError

CLUSTER = Annotated[
    Path | None, typer.Option(help="YAML of resources, nodes and retries; default: GLASSLINE_CLUSTER, else built in")
]


def compile_(
    pipeline: Annotated[str | None, typer.Argument(help="pipeline name")] = None,
    every: Annotated[bool, typer.Option("--all", help="compile every pipeline")] = False,
    out: Annotated[
        Path | None, typer.Option(help="folder for the YAML; default, without --cluster: pipelines/compiled")
    ] = None,
    cluster: CLUSTER = None,
) -> None:
    """Compile a pipeline to YAML for a cluster.

    GLASSLINE_IMAGE_PREFIX and GLASSLINE_IMAGE_TAG choose the images; GLASSLINE_IMAGE_VISION and
    GLASSLINE_IMAGE_TRAINING replace one of them, for a digest.

    Example: glassline compile retrain --cluster cluster.yaml --out build
    """
    from pipelines.catalogue import COMPILED, PIPELINES, compile_pipeline
    from pipelines.cluster_settings import VARIABLE, use_cluster

    if every == (pipeline is not None):
        raise SettingsError("compile takes either a pipeline name or --all; try `glassline compile retrain`")
    if out is None and (cluster or os.environ.get(VARIABLE)):
        raise SettingsError(
            f"--out must be given with --cluster or {VARIABLE}, {COMPILED} holds what is committed for any cluster; "
            "name a folder"
        )
    use_cluster(cluster)
    for name in PIPELINES if every else [str(pipeline)]:
        typer.echo(compile_pipeline(name, out or COMPILED))
