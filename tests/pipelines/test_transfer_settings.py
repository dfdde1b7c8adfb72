"""What a run of `transfer` is refused for before anything starts, and what it pins."""

import hashlib
from pathlib import Path

import pytest
import yaml

from glassline.errors import DataError, SettingsError
from pipelines.transfer_settings import TransferRunSettings


@pytest.fixture
def arguments(tmp_path: Path):
    """Return the arguments of a run: arguments({"product": "P7"}, transfer=...)."""

    def make(source: dict[str, object], **changes: object) -> dict[str, object]:
        listed = [{"data": "older", "data_format": "mask-folder", "product": "P7", **source}]
        (tmp_path / "sources.yaml").write_text(yaml.safe_dump(listed))
        settings = TransferRunSettings.parse({"product": "P8", "data_format": "mask-folder", **changes})
        return settings.arguments(str(tmp_path), "", str(tmp_path / "store"))

    return make


def test_the_new_product_is_no_source(arguments) -> None:
    with pytest.raises(DataError, match="other products than the new one, got P8 as both; rename"):
        arguments({"product": "P8"})


@pytest.mark.parametrize("cut", [{"window": 96}, {"window_px": 8}])
def test_how_a_source_is_cut_is_checked(arguments, cut) -> None:
    with pytest.raises(SettingsError, match="window"):
        arguments({"cut": cut})


def test_a_file_of_weights_is_pinned(arguments, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"weights")
    told = arguments({}, transfer={"backbone": {"weights": str(path)}})["transfer"]["backbone"]
    assert told["weights_sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert arguments({})["transfer"]["backbone"]["weights_sha256"] == ""


def test_settings_name_what_they_know_when_a_key_is_unknown() -> None:
    with pytest.raises(SettingsError, match="known settings: data_format, product"):
        TransferRunSettings.parse({"nope": 1})
