"""The champion of a registered model, and what it left: bundle, weights, and the table that it learned from."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from glassline.errors import DataError, ModelError
from glassline.tracking import BUNDLE, answers, client, fetch_artifact, pipeline_run_id

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from glassline.data.samples import SampleTable

#: Aliases of a registered model.
CHAMPION, CHALLENGER = "champion", "challenger"
#: Tag of a version: the pipeline's run that registered it.
PIPELINE_RUN = "glassline.pipeline_run"
#: Tag of a version: the champion that it took over from, "" for a first one.
PREVIOUS = "previous_champion"

#: Where the run of `export_model` keeps the weights, a folder as `save_fitted` writes it.
FITTED = "fitted"
_TABLE = "cycle/split.parquet"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}  # the latter of an alias that nobody set


@dataclass(frozen=True)
class Champion:
    """A version of a registered model.

    Attributes:
        name: Registered model, `glassline-PRODUCT`.
        version: Its version.
        export_run: Run of `export_model` that made its bundle.
        pipeline_run: The pipeline's run that registered it, "" where none did.
        tags: What it was tagged with: `product`, `cycle`, `data_hash`, `table_hash`, `model`, `start`.
    """

    name: str
    version: str
    export_run: str
    pipeline_run: str
    tags: dict[str, str]


def find_champion(name: str) -> Champion | None:
    """Return the champion of a registered model, None where there is no such model or it has none.

    Raises:
        TrackingError: The registry does not answer.
    """
    from mlflow.exceptions import MlflowException

    with answers():
        try:
            return as_champion(client().get_model_version_by_alias(name, CHAMPION))
        except MlflowException as error:
            if error.error_code in _ABSENT:
                return None
            raise


def as_champion(found: "ModelVersion") -> Champion:
    """Return a version of the registry as the others here take it."""
    tags = dict(found.tags)
    return Champion(found.name, str(found.version), str(found.run_id), tags.get(PIPELINE_RUN, ""), tags)


def champion_bundle(champion: Champion, folder: Path) -> Path:
    """Download its bundle and return the zip's path; `load_bundle` tells whether it may be trusted.

    Raises:
        ModelError: The server answers, and has no bundle of it.
        TrackingError: The server does not answer.
    """
    found = _fetched(champion.export_run, BUNDLE, folder)
    if found is None:
        raise ModelError(
            f"version {champion.version} of {champion.name} must have {BUNDLE} among the artifacts of run "
            f"{champion.export_run}, got none; move the alias back with glassline rollback"
        )
    return found


def champion_weights(champion: Champion, folder: Path) -> Path | None:
    """Download its weights and return the folder, as `save_fitted` wrote it; None where its run kept none."""
    return _fetched(champion.export_run, FITTED, folder)


def champion_table(champion: Champion) -> "tuple[SampleTable | None, str]":
    """Return the table of patches with folds that it learned from, or None and what is wrong with it, "" without one.

    Raises:
        TrackingError: The server does not answer.
    """
    from glassline.data.samples import read_samples

    name = f"version {champion.version} of {champion.name}"
    with TemporaryDirectory() as folder:
        path = _fetched(champion.pipeline_run, _TABLE, Path(folder)) if champion.pipeline_run else None
        if path is None:
            return None, ""
        try:
            return read_samples(path, "patches", extra=["fold"]), ""
        except DataError as error:
            return None, f"the table of patches that the run of {name} kept is damaged: {error}"


def keep_table(table: "SampleTable") -> None:
    """Log a table of patches on the pipeline's run, where `champion_table` finds it, unless it is there or none runs.

    Args:
        table: With folds; without augmented copies.
    """
    run_id, (folder, _, name) = pipeline_run_id(), _TABLE.partition("/")
    if not run_id:
        return
    with answers():
        if _TABLE in {one.path for one in client().list_artifacts(run_id, folder)}:
            return
    with TemporaryDirectory() as beside, answers():
        table.write(Path(beside) / name)
        client().log_artifact(run_id, str(Path(beside) / name), folder)


def _fetched(run_id: str, name: str, folder: Path) -> Path | None:
    """Download an artifact of a run, None where the run or the artifact is gone."""
    from mlflow.exceptions import MlflowException

    parent = name.rpartition("/")[0]
    with answers():
        try:
            listed = {one.path for one in client().list_artifacts(run_id, parent or None)}
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
    if name not in listed:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    return fetch_artifact(run_id, name, folder)
