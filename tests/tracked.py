"""A SQLite file of runs for each test module: a new one takes seconds to set up."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def tracked_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        without_run(patch)
        patch.chdir(folder)
        yield


def without_run(patch: pytest.MonkeyPatch) -> None:
    """Start without a run in the environment, and take back what is set there meanwhile."""
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        patch.setenv(name, "")  # a name that is absent would not be taken back
        patch.delenv(name)
