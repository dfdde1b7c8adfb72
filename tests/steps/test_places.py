"""Steps whose images and store lie in a folder or in S3: the same table, the same patches, the same model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from glassline.data.location import open_location
from glassline.data.samples import read_samples
from glassline.data.storage import sha256_file
from glassline.steps.augment_samples import augment_samples
from glassline.steps.cross_validate import cross_validate
from glassline.steps.export_model import export_model
from glassline.steps.extract_candidates import extract_candidates
from glassline.steps.import_images import import_images
from glassline.steps.split_samples import split_samples
from glassline.steps.train_ensemble import train_ensemble

_EXTRACT = {"systematic": True, "candidates": {"per_image": 2}}
_TRAINING = {"epochs": 1, "batch_size": 8, "cnn": {"filters": 2, "pool_px": 4}}


@pytest.fixture
def chain(tiles: Path, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Import, cut, split, copy and train, and return what each step hashed: chain(data, store)."""

    def run(data: str, store: str, name: str) -> dict[str, str]:
        out = tmp_path / name
        out.mkdir()
        samples, patches, split, augmented = (str(out / f"{file}.parquet") for file in ("i", "p", "s", "a"))
        told = {"samples": import_images(data, "image-folder", "", "P1", "1", "plain", samples)}
        told["patches"] = extract_candidates(samples, store, _EXTRACT, patches)
        split_samples(patches, 3, 0, split)
        told["augmented"] = augment_samples(split, {}, 0, augmented)
        train_ensemble(augmented, "cnn", _TRAINING, 0, store, str(out / "model"))
        told["model"] = sha256_file(out / "model" / "model.safetensors")
        return told

    return run


def test_a_chain_of_steps_gives_the_same_in_every_place(
    chain: Callable[..., dict[str, str]], tiles: Path, tmp_path: Path, place: str, send: Callable[[Path, str], str],
    elsewhere: Callable[[], None],
) -> None:  # fmt: skip
    data, store = send(tiles, f"{place}/data"), f"{place}/store"
    expected = chain(str(tiles), str(tmp_path / "expected"), "local")
    assert chain(data, store, "here") == expected
    assert read_samples(tmp_path / "here" / "p.parquet", "patches").root.startswith(f"{store}/patches/")
    assert not [entry for entry in open_location(store).entries() if "checkpoints" in entry.name]
    elsewhere()
    assert chain(data, store, "again") == expected


def test_folds_and_bundle_of_a_store_in_any_place(
    chain: Callable[..., dict[str, str]], tiles: Path, tmp_path: Path, place: str, elsewhere: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    chain(str(tiles), place, "here")
    augmented, out = str(tmp_path / "here" / "a.parquet"), tmp_path / "here"
    export_model(augmented, str(out / "model"), "cnn", _EXTRACT, str(out / "bundle"))
    assert (out / "bundle" / "bundle.zip").is_file()
    cross_validate(augmented, ["cnn"], [0], _TRAINING, 0, place, 1, str(out / "first"))
    elsewhere()
    monkeypatch.setattr("glassline.steps.cross_validate.fit_and_predict", None)  # kept folds are not fitted again
    cross_validate(augmented, ["cnn"], [0], _TRAINING, 0, place, 1, str(out / "second"))
    assert sha256_file(out / "first" / "predictions.parquet") == sha256_file(out / "second" / "predictions.parquet")
