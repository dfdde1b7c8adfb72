"""`glassline step`: what it takes for a step."""

from pathlib import Path

import pytest

import glassline.steps
from glassline.errors import SettingsError
from glassline_cli.step import find_step

NAMES = sorted(path.stem for path in Path(glassline.steps.__path__[0]).glob("[a-z]*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_steps_holds_the_step_of_its_name(name: str) -> None:
    assert find_step(name).__name__ == name


def test_step_lists_the_names_when_none_is_of_that_name() -> None:
    with pytest.raises(SettingsError, match="got 'cycle'") as told:
        find_step("cycle")
    assert "split_samples" in str(told.value)
