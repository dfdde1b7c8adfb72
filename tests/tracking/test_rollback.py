"""The way back: to the champion before, further back, and where there is none to go to."""

from pathlib import Path

import pytest

from glassline import tracking
from glassline.errors import ModelError, TrackingError
from glassline.tracking.champion import find_champion
from glassline.tracking.registry import make_champion, register_model
from glassline.tracking.rollback import roll_back
from tests.registered import exported, write_level_bundle


def _crown(name: str, tmp_path: Path, count: int) -> list[str]:
    """Make so many champions, one after the other, and return their runs."""
    runs = [exported(write_level_bundle(tmp_path / "bundle.zip")) for _ in range(count)]
    for number, run_id in enumerate(runs):
        make_champion(name, register_model(name, run_id, {}), str(number) if number else "")
    return runs


def test_roll_back_goes_one_champion_back_each_time_and_says_when_there_is_none(tmp_path: Path) -> None:
    _crown("glassline-a", tmp_path, 3)
    assert [roll_back("glassline-a").now.version for _ in range(2)] == ["2", "1"]
    with pytest.raises(TrackingError, match=r"version 1 of glassline-a must have taken over from another.*got none"):
        roll_back("glassline-a")
    assert find_champion("glassline-a").version == "1"
    tags = tracking.client().get_model_version("glassline-a", "3").tags
    assert tags["rolled_back_to"] == "2"


def test_roll_back_refuses_a_bundle_that_is_damaged_and_keeps_the_champion(tmp_path: Path) -> None:
    first, _ = _crown("glassline-b", tmp_path, 2)
    (stored,) = Path().glob(f"mlruns/*/{first}/artifacts/bundle/bundle.zip")
    stored.write_bytes(b"no zip")
    with pytest.raises(ModelError, match=r"whole bundle to become champion again.*version 2 stays"):
        roll_back("glassline-b")
    assert find_champion("glassline-b").version == "2"


def test_roll_back_to_a_version_that_was_deleted_is_refused(tmp_path: Path) -> None:
    _crown("glassline-c", tmp_path, 2)
    tracking.client().delete_model_version("glassline-c", "1")
    with pytest.raises(TrackingError, match="version 1, which is gone"):
        roll_back("glassline-c")


def test_roll_back_of_an_unknown_product_names_those_with_a_champion(tmp_path: Path) -> None:
    _crown("glassline-d", tmp_path, 1)
    with pytest.raises(TrackingError, match=r"got 'typo'; those are: .*d"):
        roll_back("glassline-typo")


def test_roll_back_of_a_product_without_champion_says_so(tmp_path: Path) -> None:
    register_model("glassline-e", exported(write_level_bundle(tmp_path / "bundle.zip")), {})
    with pytest.raises(TrackingError, match="must have a champion"):
        roll_back("glassline-e")
