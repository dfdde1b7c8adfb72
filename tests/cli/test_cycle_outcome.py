"""What a cycle that did not come to its end tells: its exit code, and every problem on a line of its own."""

import pytest

from glassline.data.location.base import NotThereError
from glassline.errors import (
    DataError,
    EngineError,
    GlasslineError,
    ModelError,
    SettingsError,
    StorageError,
    TrackingError,
)
from glassline_cli.cycle_outcome import EXIT_CODES, failure_summary, failure_verdict


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (DataError, 20), (NotThereError, 20), (TrackingError, 30), (StorageError, 30), (EngineError, 30),
        (SettingsError, 1), (ModelError, 1), (GlasslineError, 1),
    ],
)  # fmt: skip
def test_exit_code_tells_data_from_machine(kind: type[GlasslineError], code: int) -> None:
    assert EXIT_CODES.get(failure_verdict(kind("x")), 1) == code


def test_summary_of_refused_data_lists_every_problem() -> None:
    text = failure_summary("P7 b", DataError("check_cycle: cannot be used, 2 problems: (1) a: few; (2) b: @none"))
    assert text.splitlines() == [
        "### P7 b: data refused", "", "- check\\_cycle: cannot be used, 2 problems", "- (1) a: few",
        "- (2) b: @\u200bnone",
    ]  # fmt: skip


def test_summary_names_the_promotion_that_came_before_a_failure() -> None:
    headline = failure_summary("P7 b", StorageError("queue_review: disk full"), "3").splitlines()[0]
    assert headline == "### P7 b: version 3 is the champion; what comes after that failed"


def test_summary_says_what_the_step_said_where_it_said_more() -> None:
    error = DataError("import_images: two problems a b (log: x)")
    error.add_note("two problems\n  a\n  b")
    assert failure_summary("P7 b", error).splitlines()[2:] == ["- two problems", "- a", "- b"]
