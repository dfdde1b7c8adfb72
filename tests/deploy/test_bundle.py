"""The bundle: the same bytes for the same content, and nothing of it may change but the sidecar."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from glassline.deploy.bundle import FORMAT_VERSION, load_bundle, write_bundle
from glassline.deploy.card import model_card
from glassline.errors import ModelError


@pytest.fixture
def bundle(tmp_path, manifest, files, thresholds) -> Path:
    write_bundle(tmp_path / "a.zip", manifest, files, thresholds)
    return tmp_path / "a.zip"


def _rewrite(path: Path, changes: dict[str, bytes | None]) -> None:
    """Write the zip again with other content, files more, or (None) files less."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**entries, **changes}.items():
            if content is not None:
                archive.writestr(name, content)


def _manifest(path: Path, **changes) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return json.dumps({**json.loads(archive.read("bundle.json")), **changes}).encode()


def test_bundle_survives_a_round_trip(bundle, manifest, files, thresholds):
    loaded = load_bundle(bundle)
    assert loaded.files == files
    assert loaded.thresholds == thresholds
    assert loaded.manifest.model_copy(update={"sha256": {}}) == manifest
    assert set(loaded.manifest.sha256) == set(files)


def test_bundle_has_equal_bytes_for_equal_content(bundle, tmp_path, manifest, files, thresholds):
    write_bundle(tmp_path / "b.zip", manifest, dict(reversed(files.items())), thresholds)
    assert (tmp_path / "b.zip").read_bytes() == bundle.read_bytes()


def test_bundle_unpacks_to_files_that_may_be_read(bundle):
    with zipfile.ZipFile(bundle) as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o644}


def test_bundle_accepts_an_edited_sidecar(bundle):
    _rewrite(bundle, {"thresholds.yaml": b"least_probability: {dent: 0.7}\n"})
    assert load_bundle(bundle).thresholds == {"least_probability": {"dent": 0.7}}


def test_bundle_accepts_an_empty_sidecar(bundle):
    _rewrite(bundle, {"thresholds.yaml": b""})
    assert load_bundle(bundle).thresholds == {}


@pytest.mark.parametrize("sidecar", [b"a: [", b"just words", b"\xff\xfe\x00"])
def test_bundle_refuses_a_sidecar_that_is_no_mapping(bundle, sidecar):
    _rewrite(bundle, {"thresholds.yaml": sidecar})
    with pytest.raises(ModelError, match=r"thresholds\.yaml of .*\.zip must be a YAML mapping"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["model.onnx", "card.md"])
def test_bundle_refuses_a_tampered_file(bundle, name):
    _rewrite(bundle, {name: b"other"})
    with pytest.raises(ModelError, match=f"{name} in .* must match its hash"):
        load_bundle(bundle)


@pytest.mark.parametrize("changes", [{"extra.bin": b"1"}, {"model.onnx": None}, {"card.md": None}])
def test_bundle_refuses_a_file_too_many_or_too_few(bundle, changes):
    _rewrite(bundle, changes)
    with pytest.raises(ModelError, match="must hold"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["bundle.json", "thresholds.yaml"])
def test_bundle_refuses_to_miss_manifest_or_sidecar(bundle, name):
    _rewrite(bundle, {name: None})
    with pytest.raises(ModelError, match=f"must be a whole bundle .*{name}"):
        load_bundle(bundle)


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, "next", None, -1])
def test_bundle_refuses_a_format_that_it_does_not_know(bundle, version):
    _rewrite(bundle, {"bundle.json": _manifest(bundle, format_version=version)})
    with pytest.raises(ModelError, match=f"format version of at most 1, got {version!r}"):
        load_bundle(bundle)


def test_bundle_refuses_a_manifest_with_unknown_keys(bundle):
    _rewrite(bundle, {"bundle.json": _manifest(bundle, colour="red")})
    with pytest.raises(ModelError, match=r"bundle.json in .* must be as it was written.*colour"):
        load_bundle(bundle)


@pytest.mark.parametrize("content", [b"[1, 2]", b"{", b"null"])
def test_bundle_refuses_a_manifest_that_is_no_object(bundle, content):
    _rewrite(bundle, {"bundle.json": content})
    with pytest.raises(ModelError, match="must be a whole bundle"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/b", "..", "a\\b", "C:evil"])
def test_bundle_refuses_names_that_leave_its_folder_even_when_listed(bundle, name):
    hashes = {**json.loads(_manifest(bundle))["sha256"], name: "0" * 64}
    _rewrite(bundle, {name: b"x", "bundle.json": _manifest(bundle, sha256=hashes)})
    with pytest.raises(ModelError, match="must hold plain file names"):
        load_bundle(bundle)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_bundle_refuses_a_name_twice(bundle):
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("model.onnx", b"second")
    with pytest.raises(ModelError, match=r"each once, got 'model.onnx'"):
        load_bundle(bundle)


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_bundle_refuses_a_truncated_zip(bundle, keep):
    bundle.write_bytes(bundle.read_bytes()[:keep])
    with pytest.raises(ModelError, match="must be a whole bundle"):
        load_bundle(bundle)


def test_bundle_refuses_what_is_no_zip_or_is_not_there(tmp_path):
    (tmp_path / "a.zip").write_text("not a zip")
    for name in ("a.zip", "missing.zip"):
        with pytest.raises(ModelError, match=f"{name} must be a whole bundle"):
            load_bundle(tmp_path / name)


def test_bundle_refuses_any_damaged_byte_or_loads_the_same(bundle, files):
    whole = bundle.read_bytes()
    refused = 0
    for position in range(0, len(whole), 7):
        bundle.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        try:
            assert load_bundle(bundle).files == files
        except ModelError:
            refused += 1
    assert refused > 0.5 * len(whole) / 7


def test_bundle_is_not_written_over_when_writing_fails(bundle, manifest, files, thresholds):
    before = bundle.read_bytes()
    with pytest.raises(TypeError):
        write_bundle(bundle, manifest, {**files, "broken": None}, thresholds)
    assert bundle.read_bytes() == before
    assert [path.name for path in bundle.parent.iterdir()] == ["a.zip"]


def test_model_card_names_figures_gate_and_clean_class(manifest):
    card = model_card(manifest, held_out=37)
    assert "| recall_dent | 0.8000 |" in card
    assert "at most 1e-07" in card
    assert "(gate: 1e-04) on 37 held-out samples" in card
    assert "without defect is `control`" in card


def test_bundle_and_runtime_import_and_load_without_torch(bundle):
    code = (
        "import sys; from glassline.deploy.bundle import load_bundle; import glassline.deploy.runtime\n"
        "load_bundle(sys.argv[1])\n"
        "print([name for name in ('torch', 'lightning', 'mlflow', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, bundle], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
