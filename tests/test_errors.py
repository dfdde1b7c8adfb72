"""Classes of errors by name: what a step's process tells and its caller raises again."""

import pytest

from glassline import errors
from glassline.data.location.base import NotThereError
from glassline.errors import KINDS, DataError, GlasslineError, kind_of


def test_kinds_are_all_classes_of_the_module() -> None:
    found = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, GlasslineError)}
    assert set(KINDS) == found - {"GlasslineError"}


@pytest.mark.parametrize(
    ("error", "kind"),
    [(DataError("x"), "DataError"), (NotThereError("x"), "StorageError"), (KeyError("x"), "KeyError")],
)
def test_kind_of_an_error_is_the_class_that_others_know(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_every_kind_can_be_raised_from_its_message() -> None:
    assert all(str(one("told")) == "told" for one in KINDS.values())
