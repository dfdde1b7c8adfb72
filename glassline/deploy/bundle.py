"""The bundle: one zip that every system exports, checked on load.

Contents: `model.onnx`, `bundle.json` (what it is and the SHA-256 of every other file but the sidecar),
`thresholds.yaml` (the sidecar, which line engineers may edit), `card.md`, what preprocessing outside the graph needs
(`systematic.png`), and the references of a metric network (`reference.parquet`). Thresholds may change, the rest may
not.
"""

import hashlib
import json
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from glassline.data.location import open_location
from glassline.data.storage import code_hash, written_whole
from glassline.deploy.sidecar import LARGEST_BYTES, NAME, read_sidecar, write_sidecar
from glassline.errors import ModelError, SettingsError, StorageError
from glassline.settings import Settings

#: 2 tells the hash of the code.
FORMAT_VERSION = 2
_MANIFEST = "bundle.json"
_LARGEST_BYTES = 2 * 2**30
# What damaged or encrypted zips and manifests raise.
_DAMAGED = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, LookupError, ValueError, TypeError,
    OverflowError,
)  # fmt: skip


class Manifest(Settings):
    """What a bundle says of itself; `bundle.json`."""

    format_version: int = Field(FORMAT_VERSION, description="layout of the bundle")
    system: Literal["A", "B", "C", "D", "E"] = Field(description="which of the five systems made it")
    model: str = Field(description="model name, as in `glassline models`")
    classes: tuple[str, ...] = Field(description="class names in the order of the output")
    clean_class: str = Field(description="class without defect, '' where there is none")
    input_px: tuple[int, int] = Field(description="height and width of the input in px")
    bit_depth: int = Field(description="bits of a grey level at the graph's input")
    channels: int = Field(description="channels or light states of the input")
    pitch_um: float | None = Field(description="pixel pitch of the training images, None where unknown")
    attributes: tuple[str, ...] = Field(description="metadata columns in the order of the graph's input")
    head: str = Field("", description="how a metric network reads classes from references; '' for other models")
    enrolled: tuple[str, ...] = Field((), description="classes that were added without training; metrics lack them")
    start: str = Field("", description="where the weights that it started from came from, '' of random ones")
    sources: tuple[str, ...] = Field((), description="sources that it was trained on before the training samples")
    preprocessing: dict[str, Any] = Field(description="settings of what runs before the graph")
    data_hash: str = Field(description="content hash of the training samples")
    code_version: str = Field(description="git commit of the code")
    code_hash: str = Field("", description="SHA-256 of the library's source that exported it, '' in format 1")
    metrics: dict[str, float] = Field(description="figures on samples that the model never saw")
    parity: dict[str, float] = Field(description="largest difference between torch and the runtime, and its tolerance")
    sha256: dict[str, str] = Field(description="hash of every other file, the sidecar excepted")


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: manifest, thresholds and checked files."""

    manifest: Manifest
    thresholds: dict[str, Any]
    files: dict[str, bytes]

    @property
    def content_hash(self) -> str:
        """SHA-256 of the manifest, and so of every file but the sidecar."""
        return hashlib.sha256(self.manifest.model_dump_json().encode()).hexdigest()


def write_bundle(
    path: str | Path, manifest: Manifest, files: Mapping[str, bytes], thresholds: Mapping[str, Any]
) -> Manifest:
    """Write a bundle, whole or not at all; equal content gives equal bytes.

    Args:
        path: The zip to write.
        manifest: What it is; its `sha256` is filled in here, and `code_hash` unless it is known.
        files: Name to content, `model.onnx` and `card.md` among them.
        thresholds: Content of the editable sidecar.

    Returns:
        The manifest with the hashes.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    told = {"sha256": hashes, "code_hash": manifest.code_hash or code_hash(".")}
    manifest = manifest.model_copy(update=told)
    entries = {
        _MANIFEST: manifest.model_dump_json(indent=2).encode(),
        NAME: write_sidecar(thresholds),
        **dict(sorted(files.items())),
    }
    with written_whole(path) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)  # dated 1980, whenever it is written
            info.external_attr = 0o644 << 16  # else nobody may read what unzip makes of it
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return manifest


def load_bundle(path: str | Path) -> Bundle:
    """Read a bundle and check names, sizes and hashes.

    Raises:
        ModelError: The zip is damaged, of a newer format, holds a name it should not, or a hash differs.
        StorageError: Nothing is there, or it may not be read.
    """
    about, thresholds, files = _unpacked(path)
    version = about.get("format_version")
    if type(version) is not int or not 0 < version <= FORMAT_VERSION:
        raise ModelError(
            f"{path} must have a format version of at most {FORMAT_VERSION}, got {version!r:.60}; update glassline"
        )
    try:
        manifest = Manifest.parse(about)
    except SettingsError as error:
        raise ModelError(f"{_MANIFEST} in {path} must be as it was written ({error}); export it again") from error
    if set(files) != set(manifest.sha256):
        raise ModelError(f"{path} must hold {sorted(manifest.sha256)}, got {sorted(files)}; export it again")
    for name, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.sha256[name]:
            raise ModelError(f"{name} in {path} must match its hash, it was changed; export the bundle again")
    return Bundle(manifest, thresholds, files)


def fetch_bundle(url: str) -> Bundle:
    """Load a bundle that is to be used from a path or an S3 URL; see `load_bundle`.

    Raises:
        ModelError: It may not be trusted, or says other than the trained model did when it was exported.
        StorageError: Nothing is there, or the place does not answer.
    """
    found = _fetched(url)
    worst, tolerance = (found.manifest.parity.get(name) for name in ("largest_difference", "tolerance"))
    if worst is not None and tolerance is not None and worst > tolerance:
        raise ModelError(
            f"{url} must say what the trained model says within {tolerance:g}, it differs by {worst:.3g}; take one "
            "that passed the gate"
        )
    return found


def _fetched(url: str) -> Bundle:
    if "://" not in url:
        return load_bundle(url)
    parent, _, name = url.rpartition("/")
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / name
        open_location(parent).download(name, local)
        try:
            return load_bundle(local)
        except ModelError as error:
            raise ModelError(str(error).replace(str(local), url)) from error


def _unpacked(path: str | Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, bytes]]:
    """Return what the manifest says, the thresholds, and all other files."""
    with ExitStack() as opened:
        try:
            stream = opened.enter_context(open(path, "rb"))
        except OSError as error:
            raise StorageError(
                f"{path} must be a bundle that can be read ({error.strerror}); check the path"
            ) from error
        try:
            with zipfile.ZipFile(stream) as archive:
                _check_entries(path, archive.infolist())
                files = {entry.filename: archive.read(entry) for entry in archive.infolist()}
            about = dict(json.loads(files.pop(_MANIFEST)))
            sidecar = files.pop(NAME)
        except ModelError:
            raise
        except _DAMAGED as error:
            raise ModelError(f"{path} must be a whole bundle ({error}); export it again") from error
    return about, read_sidecar(sidecar, path), files


def _check_entries(path: str | Path, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse what unpacks to too much, names that could leave their folder, and doubles, of which tools pick either."""
    if sum(entry.file_size for entry in entries) > _LARGEST_BYTES:
        raise ModelError(f"{path} must unpack to at most {_LARGEST_BYTES} bytes, it claims more; export it again")
    names = [entry.filename for entry in entries]
    for entry in entries:
        name = entry.filename
        if name in {"", ".", ".."} or set(name) & set("/\\:") or names.count(name) > 1:
            raise ModelError(f"{path} must hold plain file names, each once, got {name!r}; export it again")
        if name == NAME and entry.file_size > LARGEST_BYTES:
            raise ModelError(
                f"{NAME} of {path} must have at most {LARGEST_BYTES} bytes, got {entry.file_size}; mend it"
            )
