"""The bundle: the same bytes for the same content, and nothing of it may change but the sidecar."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from glassline.deploy.bundle import FORMAT_VERSION, fetch_bundle, load_bundle, write_bundle
from glassline.deploy.card import model_card
from glassline.deploy.sidecar import LARGEST_BYTES
from glassline.errors import ModelError, StorageError


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
    assert loaded.manifest.model_copy(update={"sha256": {}, "code_hash": ""}) == manifest
    assert len(loaded.manifest.code_hash) == 64
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
    with pytest.raises(ModelError, match=r"thresholds\.yaml of .*\.zip must be a plain YAML mapping"):
        load_bundle(bundle)


_BOMB = b"a: &a [1, 1]\n" + b"".join(
    b"%c: &%c [%b]\n" % (c, c, b", ".join([b"*%c" % (c - 1)] * 9)) for c in b"bcdefghij"
)


@pytest.mark.parametrize("sidecar", [
    _BOMB, b"[" * 5000, b"a: " + b"{a: " * 5000, b"low: 0.5\nlow: 0.9", b"low: !!timestamp x", b"low: !!int ''",
    b"low: " + b"9" * 5000, b"a: &a 1",
], ids=["aliases", "lists", "mappings", "twice", "timestamp", "int", "digits", "anchor"])  # fmt: skip
def test_bundle_refuses_a_sidecar_that_no_line_engineer_writes(bundle, sidecar):
    _rewrite(bundle, {"thresholds.yaml": sidecar})
    with pytest.raises(ModelError, match=r"thresholds\.yaml of .*\.zip must be a plain YAML mapping") as caught:
        load_bundle(bundle)
    assert "\n" not in str(caught.value)


def test_bundle_refuses_a_sidecar_that_is_too_large(bundle):
    _rewrite(bundle, {"thresholds.yaml": b"#" * (LARGEST_BYTES + 1)})
    with pytest.raises(ModelError, match=r"thresholds\.yaml of .*\.zip must have at most 65536 bytes, got 65537"):
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


@pytest.mark.parametrize("version", [FORMAT_VERSION + 1, "next", None, -1, "²", "1", 2.5, True])
def test_bundle_refuses_a_format_that_it_does_not_know(bundle, version):
    _rewrite(bundle, {"bundle.json": _manifest(bundle, format_version=version)})
    with pytest.raises(ModelError, match=f"format version of at most {FORMAT_VERSION}, got {version!r}"):
        load_bundle(bundle)


def test_bundle_refuses_a_manifest_with_unknown_keys(bundle):
    _rewrite(bundle, {"bundle.json": _manifest(bundle, colour="red")})
    with pytest.raises(ModelError, match=r"bundle.json in .* must be as it was written.*colour"):
        load_bundle(bundle)


@pytest.mark.parametrize(
    "content", [b"[1, 2]", b"{", b"null", b'{"format_version": ' + b"9" * 5000 + b"}", b"[" * 99999]
)
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


@pytest.mark.parametrize("how", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_bundle_refuses_a_damaged_entry_however_it_is_packed(tmp_path, how):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", how) as archive:
        archive.writestr("bundle.json", b"{}" * 999)
    whole = (tmp_path / "a.zip").read_bytes()
    at = 30 + len("bundle.json") + 4
    for count in (5, 9):
        (tmp_path / "a.zip").write_bytes(whole[:at] + b"\xff" * count + whole[at + count :])
        with pytest.raises(ModelError, match="must be a whole bundle"):
            load_bundle(tmp_path / "a.zip")


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_bundle_refuses_a_truncated_zip(bundle, keep):
    bundle.write_bytes(bundle.read_bytes()[:keep])
    with pytest.raises(ModelError, match="must be a whole bundle"):
        load_bundle(bundle)


def test_bundle_refuses_what_is_no_zip_or_is_not_there(tmp_path):
    (tmp_path / "a.zip").write_text("not a zip")
    with pytest.raises(ModelError, match=r"a\.zip must be a whole bundle"):
        load_bundle(tmp_path / "a.zip")
    for name, told in (("missing.zip", "No such file"), (".", "Is a directory")):
        with pytest.raises(StorageError, match=rf"must be a bundle that can be read \({told}"):
            fetch_bundle(str(tmp_path / name))


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


def test_bundle_that_says_other_than_the_trained_model_is_not_handed_out(tmp_path, manifest, files, thresholds):
    told = manifest.model_copy(update={"parity": {"largest_difference": 1e-3, "tolerance": 1e-4}})
    write_bundle(tmp_path / "b.zip", told, files, thresholds)
    with pytest.raises(ModelError, match=r"differs by 0\.001; take one that passed the gate"):
        fetch_bundle(str(tmp_path / "b.zip"))


def test_model_card_names_figures_gate_and_clean_class(manifest):
    card = model_card(manifest, 37, {"least_probability": {"dent": 0.5}, "unknown_distance": None})
    assert "| least_probability of `dent` | 0.5 |\n| unknown_distance | null |" in card
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
