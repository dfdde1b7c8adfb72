"""`glassline inspect`."""

import signal
import subprocess
import sys
import time
import zipfile

import pytest

from glassline.deploy.detector import DetectorPrecision
from glassline.deploy.graphs import RUNTIMES
from glassline_cli.inspect import Arithmetic, Runtime
from tests.deploy.bundles import classifier_bundle
from tests.deploy.inspection.conftest import lines_of, write_endless

# Packages that an inspection computer has none of.
_BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from glassline_cli.app import main
main()
""".replace(
    "{names}",
    repr({
        "torch", "torchvision", "lightning", "kfp", "mlflow", "pandas", "matplotlib", "statsmodels", "zarr", "timm",
        "defusedxml", "jinja2", "tqdm", "docker", "plotly",
    }),
)  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    classifier_bundle(path)
    return path


def _rewritten(bundle, path, name, content):
    """Write the zip again with another content of one file."""
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.namelist():
            new.writestr(entry, content if entry == name else old.read(entry))
    return path


def test_inspect_names_what_is_refused_and_judges_the_rest(glassline, bundle, write_image, tmp_path):
    paths = [write_image("a.png"), tmp_path / "torn.png"]
    paths[1].write_bytes(b"torn")
    result = glassline("inspect", bundle, *paths, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert f"{paths[0]}: " in result.stdout
    assert result.stderr.splitlines()[0].startswith(f"error: {paths[1]} must be a whole, readable image")
    assert result.stderr.splitlines()[-1] == "error: 1 of 2 refused"
    assert [line["verdict"] == "refused" for line in lines_of(tmp_path / "out")] == [False, True]


@pytest.mark.parametrize(("name", "content", "told"), [
    ("model.onnx", b"other", "must match its hash"),
    ("bundle.json", b'{"format_version": 99}', "update glassline"),
    ("thresholds.yaml", b"least_probability: {dent: 0.5}", "of ['bright', 'dark', 'plain'], got ['dent']; mend it"),
    ("thresholds.yaml", b"least_probability: {dark: 7}", "dark: Input should be less than or equal to 1, got 7"),
    ("thresholds.yaml", b"least_probabilty: {dark: 0.7}", "must state every threshold, missing: ['least_probability']"),
])  # fmt: skip
def test_inspect_refuses_what_it_cannot_trust(glassline, bundle, tmp_path, name, content, told):
    wrong = _rewritten(bundle, tmp_path / "b.zip", name, content)
    result = glassline("inspect", wrong, tmp_path, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("more", "told"), [
    (["--device", "gpu"], "--device gpu needs a runtime with a GPU, got "),
    (["--precision", "int8"], "--precision of a bundle of system A must be one of f32, got int8"),
    (["--pitch-um", "3"], "--pitch-um is for bundles that tell sizes of images"),
])  # fmt: skip
def test_inspect_refuses_options_that_nothing_here_can_do(glassline, bundle, tmp_path, more, told):
    result = glassline("inspect", bundle, tmp_path, "--out", tmp_path / "out", *more)
    assert (result.returncode, len(result.stderr.splitlines())) == (1, 1)
    assert told in result.stderr


def test_inspect_says_that_no_bundle_is_there(glassline, tmp_path):
    result = glassline("inspect", tmp_path / "nosuch.zip", tmp_path, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "nosuch.zip must be a bundle that can be read (No such file or directory); check the path" in result.stderr


def test_inspect_says_what_it_waits_for(glassline, bundle, tmp_path):
    (tmp_path / "frames").mkdir()
    write_endless(tmp_path / "frames" / "a.bmp")
    result = glassline("inspect", bundle, tmp_path / "frames", "--out", tmp_path / "out")
    assert result.returncode == 0
    assert result.stderr == "warning: 1 image may still be written: judged after 10 seconds without a change\n"
    assert len(lines_of(tmp_path / "out")) == 1


def test_inspect_refuses_an_empty_folder_and_an_out_within_it(glassline, bundle, tmp_path):
    (tmp_path / "frames").mkdir()
    nothing = glassline("inspect", bundle, tmp_path / "frames", "--out", tmp_path / "out")
    within = glassline("inspect", bundle, tmp_path / "frames", "--out", tmp_path / "frames" / "out")
    assert "there must be something to inspect" in nothing.stderr
    assert "--out must lie outside" in within.stderr


@pytest.mark.parametrize("ends_by", [signal.SIGINT, signal.SIGTERM])
def test_watching_ends_cleanly(bundle, write_image, tmp_path, ends_by):
    write_image("frames/a.png")
    words = ["inspect", bundle, tmp_path / "frames", "--watch", "--out", tmp_path / "out"]
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "glassline_cli", *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    assert running.stdout.readline().startswith("watching ")
    assert "a.png: " in running.stdout.readline()
    time.sleep(0.1)
    running.send_signal(ends_by)
    assert running.communicate(timeout=60)[0] == "stopped\n"
    assert running.returncode == 0


def test_inspect_needs_no_heavy_package(bundle, segmenter_bundle, detector_bundle, write_image, tmp_path):
    path = write_image("a.png", width=90, height=61)
    for number, one in enumerate((bundle, detector_bundle(), segmenter_bundle)):
        words = ["inspect", one, path, "--out", tmp_path / f"out{number}"]
        done = subprocess.run(
            [sys.executable, "-c", _BLOCKED, *map(str, words)], capture_output=True, text=True, timeout=300
        )
        assert "Traceback" not in done.stderr
        refused = "error: 1 of 1 refused" in done.stderr  # system C looks at captures
        assert refused == (one == segmenter_bundle), done.stderr


def test_a_command_whose_packages_are_missing_says_so(tmp_path):
    done = subprocess.run([sys.executable, "-c", _BLOCKED, "metrics", "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED, "import", str(tmp_path), "--format", "coco", "--out", str(tmp_path / "o")],
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "which is not installed; pip install" in done.stderr


def test_names_of_the_command_are_those_of_the_library():
    assert tuple(Arithmetic) == DetectorPrecision.__args__
    assert {str(name) for name in Runtime} == {"auto", *RUNTIMES}
