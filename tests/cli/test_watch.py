"""What a person sees of a running pipeline."""

import fcntl
import io
from pathlib import Path

import pytest
from rich.console import Console

from glassline.errors import DataError, GlasslineError, StorageError, TrackingError
from glassline.tracking import FAILED, FINISHED, STARTED
from glassline_cli.local_run import run_locally
from glassline_cli.watch import Watcher


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def watcher(screen: io.StringIO) -> Watcher:
    return Watcher(io.StringIO(), Console(file=screen, width=200), steps=3)


def test_watcher_shows_names_with_brackets_as_they_are(watcher: Watcher, screen: io.StringIO) -> None:
    watcher.write(f"{FAILED} import_images: class [red]x[/] and path [/b]\n")
    assert "class [red]x[/] and path [/b]" in screen.getvalue()


def test_watcher_keeps_the_class_of_an_error_and_does_not_show_it(watcher: Watcher, screen: io.StringIO) -> None:
    watcher.write(f"{FAILED} split_samples: DataError: 2 groups: one is no path\n")
    assert (watcher.kind, watcher.failure) == (DataError, "split_samples: 2 groups: one is no path")
    assert "failed split_samples: 2 groups: one is no path\n" in screen.getvalue()


def test_watcher_keeps_the_class_of_the_first_error(watcher: Watcher) -> None:
    watcher.write(f"{FAILED} one: TrackingError: no\n{FAILED} two: DataError: no\n")
    assert (watcher.kind, watcher.failure) == (TrackingError, "one: no")


def test_watcher_takes_an_error_of_no_class_of_ours_as_it_is(watcher: Watcher) -> None:
    watcher.write(f"{FAILED} one: ZeroDivisionError: division by zero\n")
    assert (watcher.kind, watcher.failure) == (GlasslineError, "one: ZeroDivisionError: division by zero")


def test_watcher_knows_which_steps_were_never_heard_of_again(watcher: Watcher) -> None:
    watcher.write(f"{STARTED} one\n{STARTED} folds (folds 0)\n{STARTED} folds (folds 1)\n")
    watcher.write(f"{FINISHED} one 1.2 s\n{FAILED} folds (folds 0): no\n")
    assert watcher.running == ["folds (folds 1)"]


def test_run_refuses_a_folder_that_another_run_is_using(tmp_path: Path) -> None:
    with open(tmp_path / "run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="one run at a time"):
            run_locally("retrain", None, {}, tmp_path, "glassline", {})
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]
