"""What a run on this machine makes of a step that fails: the class of its error comes through kfp's runner."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kfp import dsl

from glassline import tracking
from glassline.errors import DataError, EngineError, GlasslineError, TrackingError
from glassline_cli.local_run import LocalResult, run_locally, use_tracking

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::UserWarning"
)
Run = Callable[..., LocalResult]


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def fail_as(kind: str) -> str:
    from glassline import errors
    from glassline.tracking import step_run

    with step_run("fail_as", {"kind": kind}):
        if kind == "killed":
            import os

            os.kill(os.getpid(), 9)
        if kind:
            raise getattr(errors, kind)("a rule; a remedy")
    return kind


@dsl.pipeline(name="fails")
def fails(kind: str):
    fail_as(kind=kind)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a pipeline of one step that fails as told: run("DataError", hold=…)."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):  # run_locally sets them; gone again afterwards
        monkeypatch.setenv(name, "")

    def call(kind: str, **more: object) -> LocalResult:
        return run_locally("fails", fails, {"kind": kind}, tmp_path / "out", "glassline", {}, **more)

    return call


@pytest.mark.parametrize("kind", [DataError, TrackingError])
def test_error_of_a_step_keeps_its_class(run: Run, kind: type[GlasslineError]) -> None:
    with pytest.raises(kind, match=r"^fail_as: a rule; a remedy \(log: .*pipeline\.log\)$"):
        run(kind.__name__)
    told = tracking.client().get_run(os.environ["MLFLOW_RUN_ID"])
    assert (told.info.status, told.data.tags["glassline.error"]) == (
        "FAILED", f"{kind.__name__}: fail_as: a rule; a remedy"
    )  # fmt: skip


@pytest.mark.parametrize("stated", ["", "http://mlflow"])
def test_tracking_is_in_out_unless_an_address_is_stated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", stated)
    assert use_tracking(tmp_path) == (stated or f"sqlite:///{tmp_path / 'mlflow.db'}")
    assert os.environ["MLFLOW_TRACKING_URI"] == use_tracking(tmp_path)


def test_killed_step_is_told_from_one_that_failed(run: Run) -> None:
    with pytest.raises(EngineError, match="fail_as must end by itself"):
        run("killed")


def test_what_is_held_is_held_while_steps_run_and_let_go_when_one_fails(run: Run) -> None:
    heard: list[str] = []

    @contextmanager
    def hold(run_id: str) -> Iterator[None]:
        heard.append(tracking.client().get_run(run_id).info.status)
        try:
            yield
        finally:
            heard.append("let go")

    with pytest.raises(DataError):
        run("DataError", hold=hold)
    assert heard == ["RUNNING", "let go"]


def test_what_cannot_be_held_ends_the_run_before_its_first_step(run: Run, tmp_path: Path) -> None:
    @contextmanager
    def hold(run_id: str) -> Iterator[None]:
        raise TrackingError(f"another run holds it, not {run_id}")
        yield

    with pytest.raises(TrackingError, match="another run holds it"):
        run("", hold=hold)
    assert tracking.children(os.environ["MLFLOW_RUN_ID"]) == []
    assert tracking.client().get_run(os.environ["MLFLOW_RUN_ID"]).info.status == "FAILED"
