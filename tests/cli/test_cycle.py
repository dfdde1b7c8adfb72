"""`glassline cycle`: what it refuses, what it already knows, and how it ends."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline import tracking
from glassline.data.importers import source_hash
from glassline.tracking.champion import PIPELINE_RUN
from glassline.tracking.lock import product_lock
from glassline_cli.app import main
from tests.tracked import without_run

Cycle = Callable[..., tuple[int, str]]
IMAGES = ("--format", "image-folder", "--preset", "smoke", "--set", "clean_class=plain")


@pytest.fixture
def cycle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cycle:
    """Run the command in this process and return its exit code and its one error: cycle("P7", "a", "--captures", x)."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    without_run(monkeypatch)

    def call(*words: object) -> tuple[int, str]:
        told = ["--out", str(tmp_path / "run"), "--summary", str(tmp_path / "summary.md")]
        monkeypatch.setattr(sys, "argv", ["glassline", "cycle", *map(str, words), *told])
        with pytest.raises(SystemExit) as ended:
            main()
        screen = capsys.readouterr()
        errors = [line for line in screen.err.splitlines() if line.startswith("error: ")]
        assert "Traceback" not in screen.err
        return int(ended.value.code or 0), errors[0] if errors else screen.out

    return call


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("P7", "a", "--captures", "c", "--format", "tiff"), "format must be one of image-folder"),
        (("a/b", "a", "--captures", "c"), "product"),
        (("P7", "--captures", "c"), "cycle"),
        (("P7", "a"), "captures"),
        (("P7", "a", "--captures", "c", "--preset", "tiny"), "preset"),
        (("P7", "a", "--captures", ".", "--reviews", "r", "--reviews-format", "xls"), "reviews_format"),
        (("P7", "a", "--captures", ".", "--set", "training.epoch=3"), "training.epoch"),
        (("P7", "--manifest", "m.yaml"), "--manifest must be given alone"),
    ],
)
def test_cycle_refuses_a_wrong_option_in_one_line(
    cycle: Cycle, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    code, error = cycle(*words)
    assert (code, told in error) == (1, True), error
    assert not (tmp_path / "run").exists()
    assert "failed" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("option", ["--captures", "--labels"])
def test_cycle_refuses_data_that_is_missing(cycle: Cycle, tiles: Path, tmp_path: Path, option: str) -> None:
    places = {"--captures": str(tiles), "--labels": str(tiles), option: str(tmp_path / "none")}
    code, error = cycle("P7", "a", *IMAGES, *(word for pair in places.items() for word in pair))
    assert code == 20
    assert "must be an existing file or folder" in error
    assert "data refused" in (tmp_path / "summary.md").read_text()


def test_cycle_refuses_labels_of_nothing(cycle: Cycle, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "labels.json").write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    labels = tmp_path / "data" / "labels.json"
    code, error = cycle("P7", "a", "--format", "coco", "--captures", tmp_path / "data", "--labels", labels)
    assert code == 20
    assert "at least one" in error


def test_cycle_refuses_labels_of_images_elsewhere(cycle: Cycle, tiles: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    code, error = cycle("P7", "a", *IMAGES, "--captures", tmp_path / "other", "--labels", tiles)
    assert code == 20
    assert "must speak of images below" in error


def test_cycle_refuses_to_write_into_its_data(cycle: Cycle, tiles: Path, tmp_path: Path) -> None:
    code, error = cycle("P7", "a", *IMAGES, "--captures", tmp_path)
    assert code == 30
    assert "--out must lie outside" in error


def test_cycle_ends_as_unavailable_when_the_tracking_server_does_not_answer(
    cycle: Cycle, tiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:  # a port that nobody listens on
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{closed.getsockname()[1]}")
        code, error = cycle("P7", "a", *IMAGES, "--captures", tiles)
    assert code == 30
    assert "must answer" in error


@pytest.fixture
def ended(tmp_path: Path, tiles: Path, cycle: Cycle) -> Callable[[str], str]:
    """Leave a cycle of P7 on the tiles that ended, and return its run: ended("kept")."""

    def leave(verdict: str) -> str:
        tags = {
            "product": "P7", "cycle": "2026a", "pipeline": "new_cycle", "verdict": verdict,
            "data_hash": source_hash(tiles, "image-folder"),
        }  # fmt: skip
        run_id = tracking.create_pipeline_run("glassline-P7", "new_cycle", tags, (tmp_path / "files").as_uri())
        (tmp_path / "summary.md").write_text("### the first summary")
        tracking.parent_artifact(tmp_path / "summary.md")
        tracking.close_pipeline_run("FINISHED")
        if verdict == "promoted":
            _crown(run_id, "2026a")
        return run_id

    return leave


def _crown(pipeline_run: str, cycle: str) -> None:
    """Make what a pipeline's run registered the champion of P7."""
    client, name = tracking.client(), "glassline-P7"
    if name not in {one.name for one in client.search_registered_models()}:
        client.create_registered_model(name)
    tags = {"glassline.pipeline_run": pipeline_run, "cycle": cycle}
    version = client.create_model_version(name, "file:///nowhere", tags=tags)
    client.set_registered_model_alias(name, "champion", version.version)


@pytest.mark.parametrize(("verdict", "code"), [("promoted", 0), ("kept", 10)])
def test_cycle_does_nothing_on_data_that_it_knows(
    cycle: Cycle, ended: Callable[[str], str], tiles: Path, tmp_path: Path, verdict: str, code: int
) -> None:
    run_id = ended(verdict)
    found, screen = cycle("P7", "another name", *IMAGES, "--captures", tiles)
    assert found == code
    summary = (tmp_path / "summary.md").read_text()
    assert summary.strip() == screen.strip()
    assert all(word in summary for word in ("Nothing was done", "2026a", "### the first summary", run_id))
    assert not (tmp_path / "run" / "run.json").exists()


def test_data_of_a_cycle_whose_champion_could_not_be_asked_is_not_known(
    ended: Callable[[str], str], tiles: Path
) -> None:
    from glassline.tracking.cycles import FINAL, find_ended_cycle

    asked = ("glassline-P7", "P7", source_hash(tiles, "image-folder"), "")
    tracking.client().set_tag(ended("kept"), FINAL, "false")
    assert find_ended_cycle(*asked) is None
    run_id = ended("kept")
    found = find_ended_cycle(*asked)
    assert (found.run_id, found.verdict) == (run_id, "kept")


@pytest.fixture
def torn(tmp_path: Path, tiles: Path, cycle: Cycle) -> Callable[[str], str]:
    """Leave a cycle on the tiles that failed once its model was registered, and return its run: torn("champion")."""

    def leave(alias: str) -> str:
        tags = {"product": "P7", "cycle": "2026a", "pipeline": "new_cycle"}
        tags["data_hash"] = source_hash(tiles, "image-folder")
        run_id = tracking.create_pipeline_run("glassline-P7", "new_cycle", tags, (tmp_path / "files").as_uri())
        client = tracking.client()
        client.create_registered_model("glassline-P7")
        source = client.get_run(run_id).info.artifact_uri
        version = client.create_model_version("glassline-P7", source, run_id, tags={PIPELINE_RUN: run_id})
        client.set_registered_model_alias("glassline-P7", alias, version.version)
        tracking.close_pipeline_run("FAILED", "StorageError: queue_review: disk full")
        return run_id

    return leave


def test_cycle_that_failed_after_it_had_promoted_is_known(
    cycle: Cycle, torn: Callable[[str], str], tiles: Path, tmp_path: Path
) -> None:
    run_id = torn("champion")
    code, screen = cycle("P7", "2026a", *IMAGES, "--captures", tiles)
    assert code == 0
    assert all(word in screen for word in ("ended on the same data, promoted", "failed after that", run_id))
    assert not (tmp_path / "run" / "run.json").exists()


def test_cycle_that_failed_without_promoting_is_not_known(torn: Callable[[str], str], tiles: Path) -> None:
    from glassline.tracking.cycles import find_ended_cycle

    torn("challenger")
    assert find_ended_cycle("glassline-P7", "P7", source_hash(tiles, "image-folder"), "") is None


def test_cycle_refuses_a_summary_that_cannot_be_written_before_it_starts(
    cycle: Cycle, tiles: Path, tmp_path: Path
) -> None:
    (tmp_path / "summary.md").mkdir()
    code, error = cycle("P7", "a", *IMAGES, "--captures", tiles)
    assert code == 30
    assert "summary.md" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("now", ["another", "none"])
def test_cycle_on_known_data_says_what_stands_now_where_its_champion_went(
    cycle: Cycle, ended: Callable[[str], str], tiles: Path, now: str
) -> None:
    ended("promoted")
    if now == "another":
        _crown("0" * 32, "2026b")
    else:
        tracking.client().delete_registered_model_alias("glassline-P7", "champion")
    code, screen = cycle("P7", "a", *IMAGES, "--captures", tiles)
    told = "now it is version 2, of cycle 2026b" if now == "another" else "P7 has none now"
    assert (code, told in screen) == (10, True), screen


@pytest.mark.parametrize("changed", ["product", "data", "reviews"])
def test_cycle_knows_data_of_the_same_product_content_and_reviews_alone(
    ended: Callable[[str], str], tiles: Path, changed: str
) -> None:
    from glassline.tracking.cycles import find_ended_cycle

    ended("kept")
    asked = {"product": "P7", "data": source_hash(tiles, "image-folder"), "reviews": ""}
    assert find_ended_cycle("glassline-P7", *asked.values()) is not None
    asked[changed] = "P8" if changed == "product" else "0" * 64
    assert find_ended_cycle("glassline-P7", *asked.values()) is None


def test_second_cycle_of_a_product_ends_at_once_and_names_the_first(cycle: Cycle, tiles: Path, tmp_path: Path) -> None:
    holder = tracking.create_pipeline_run("glassline-P7", "new_cycle", {}, (tmp_path / "files").as_uri())
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        del os.environ[name]
    with product_lock("glassline-P7", holder):
        code, error = cycle("P7", "a", *IMAGES, "--captures", tiles)
    assert code == 30
    assert holder in error
    assert "could not run" in (tmp_path / "summary.md").read_text()


def test_run_of_a_pipeline_waits_for_no_cycle_of_its_product(
    cycle: Cycle, tiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = tracking.create_pipeline_run("glassline-P7", "new_cycle", {}, (tmp_path / "files").as_uri())
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        del os.environ[name]
    told = ["--data", str(tiles), "--set", "data_format=image-folder", "--set", "product=P7"]
    monkeypatch.setattr(sys, "argv", ["glassline", "run", "new_cycle", *told, "--out", str(tmp_path / "run")])
    with product_lock("glassline-P7", holder), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert holder in capsys.readouterr().err


def test_manifest_is_run_as_options_are(cycle: Cycle, ended: Callable[[str], str], tiles: Path, tmp_path: Path) -> None:
    ended("kept")
    (tmp_path / "a.yaml").write_text(
        f"{{product: P7, cycle: 2026a, captures: '{tiles}', format: image-folder, clean_class: plain, preset: smoke}}"
    )
    assert cycle("--manifest", tmp_path / "a.yaml")[0] == 10


def test_known_data_needs_neither_torch_nor_kfp() -> None:
    wanted = "glassline_cli.cycle", "glassline.tracking.cycles", "glassline_cli.local_run", "pipelines.catalogue"
    asked = "import pipelines.catalogue as c; c.find('new_cycle').presets; import sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import {', '.join(wanted)}; {asked}"], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert not {"torch", "kfp", "scipy.optimize"} & set(done.stdout.split())
