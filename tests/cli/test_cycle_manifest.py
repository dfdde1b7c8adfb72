"""What a cycle is run on, as a file and as options."""

from pathlib import Path

import pytest

from glassline.errors import DataError, SettingsError
from glassline_cli.cycle_manifest import CycleManifest


def _write(folder: Path, text: str) -> Path:
    (folder / "2026b.yaml").write_text(text)
    return folder / "2026b.yaml"


def test_paths_of_a_manifest_start_at_its_folder(tmp_path: Path) -> None:
    path = _write(tmp_path, "{product: P7, cycle: a, captures: ../shots, labels: s3://b/labels.json}")
    found = CycleManifest.at(path)
    assert (found.captures, found.data) == (str(tmp_path.parent / "shots"), "s3://b/labels.json")


def test_labels_lie_with_the_images_unless_told(tmp_path: Path) -> None:
    path = _write(tmp_path, "{product: P7, cycle: a, captures: s3://b/tiles, format: mask-folder}")
    assert CycleManifest.at(path).data == "s3://b/tiles"


def test_product_and_cycle_are_names_whatever_yaml_makes_of_them(tmp_path: Path) -> None:
    found = CycleManifest.at(_write(tmp_path, "{product: 7, cycle: 2026-01-31, captures: c}"))
    assert (found.product, found.cycle) == ("7", "2026-01-31")


def test_settings_of_a_manifest_are_told_as_the_command_line_takes_them(tmp_path: Path) -> None:
    text = "{product: P7, cycle: a, captures: c, settings: {training.epochs: 5, clean_class: ok}}"
    told = CycleManifest.at(_write(tmp_path, text)).overrides
    assert {"training.epochs=5", "product=P7", "data_format=captures"} <= set(told)


def test_captures_of_the_rig_are_read_by_their_own_preset() -> None:
    told = {"product": "P7", "cycle": "a", "captures": "c", "preset": "smoke"}
    assert CycleManifest.given(told).preset_name == "captures-smoke"
    assert CycleManifest.given({**told, "format": "coco"}).preset_name == "smoke"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{product: P7, cycle: a}", "captures"),
        ("{product: a/b, cycle: a, captures: c}", "product"),
        ("{product: 'a b', cycle: a, captures: c}", "product"),
        ("{product: '', cycle: a, captures: c}", "product"),
        ("{product: P7, cycle: '', captures: c}", "cycle"),
        ("{product: P7, cycle: [1], captures: c}", "cycle"),
        ("{product: P7, cycle: a, captures: c, format: tiff}", "format must be one of"),
        ("{product: P7, cycle: a, captures: c, preset: tiny}", "preset"),
        ("{product: P7, cycle: a, captures: c, label: x}", "label"),
        ("- P7", "must hold settings by name"),
        ("{", "must be YAML"),
    ],
)
def test_manifest_is_refused_in_one_line_when_it_breaks_a_rule(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        CycleManifest.at(_write(tmp_path, text))
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(tmp_path) in str(raised.value)


@pytest.mark.parametrize(("product", "cycle"), [("P6", "2026b"), ("P7", "2026a")])
def test_copied_manifest_that_names_another_product_or_cycle_than_its_place_is_refused(
    tmp_path: Path, product: str, cycle: str
) -> None:
    (tmp_path / "cycles/P7").mkdir(parents=True)
    path = _write(tmp_path / "cycles/P7", f"{{product: {product}, cycle: {cycle}, captures: c}}")
    with pytest.raises(DataError, match=f"P7 and 2026b, got product: {product} and cycle: {cycle}; mend"):
        CycleManifest.at(path)
    assert CycleManifest.at(_write(path.parent, "{product: P7, cycle: 2026b, captures: c}")).product == "P7"


def test_missing_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be a file that can be read"):
        CycleManifest.at(tmp_path / "none.yaml")
