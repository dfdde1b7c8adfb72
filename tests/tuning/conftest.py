"""Searches log into a file of their test module, and leave nothing in the environment."""

import pytest

from tests.tracked import without_run


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(autouse=True)
def tracked_apart(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database)
    without_run(monkeypatch)


@pytest.fixture
def table(make_table, tmp_path):
    """Return the path of six patches in three folds."""
    made = make_table(["dent", "mold"] * 3, fold=[0, 0, 1, 1, 2, 2])
    made.write(tmp_path / "split.parquet")
    return tmp_path / "split.parquet"
