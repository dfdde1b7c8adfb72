"""What is remembered, whatever happens in between."""

import csv
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest

from glassline.deploy.inspection.journal import DEFECTS, TABLE, VERDICTS, Journal
from glassline.deploy.inspection.lines import Found, Line
from glassline.deploy.inspection.whole_lines import WholeLines
from glassline.deploy.runtime import OnnxClassifier
from glassline.errors import ModelError, StorageError
from tests.deploy.bundles import CLASSES, classifier_bundle
from tests.deploy.inspection.conftest import lines_of, told_of


def test_what_was_judged_is_not_judged_again(small_bundle, tiles, tmp_path):
    first = told_of(small_bundle, tmp_path / "out", tiles / "dark")
    again = told_of(small_bundle, tmp_path / "out", tiles / "dark")
    assert [told.judged is None for told in (*first, *again)] == [False] * 6 + [True] * 6
    assert len(lines_of(tmp_path / "out")) == 6


def test_changed_images_and_thresholds_are_judged_again(small_bundle, write_image, tmp_path):
    path = write_image("a.png")
    told_of(small_bundle, tmp_path / "out", path)
    write_image("a.png", seed=9)
    told_of(small_bundle, tmp_path / "out", path)
    classifier_bundle(
        tmp_path / "strict.zip", thresholds={"least_probability": {**dict.fromkeys(CLASSES, 0.0), "plain": 0.9}}
    )
    told_of(tmp_path / "strict.zip", tmp_path / "out", path)
    assert len(lines_of(tmp_path / "out")) == 3


def test_another_runtime_judges_again(small_bundle, write_image, tmp_path):
    path = write_image("a.png")
    for runtime in ("onnxruntime", "openvino", "", "openvino"):  # by default the first one
        told_of(small_bundle, tmp_path / "out", path, runtime=runtime)
    assert [line["runtime"] for line in lines_of(tmp_path / "out")] == ["onnxruntime", "openvino"]


def test_arithmetic_that_was_asked_for_and_not_had_is_no_other_one(detector_bundle, write_image, tmp_path):
    path = write_image("a.png")
    for precision in ("f32", "bf16"):  # the runtime knows the first only
        told_of(detector_bundle(), tmp_path / "out", path, runtime="onnxruntime", precision=precision)
    assert [line["precision"] for line in lines_of(tmp_path / "out")] == ["f32"]


@pytest.mark.parametrize("error", [MemoryError(), ModelError("the runtime cannot run this bundle; export it again")])
def test_what_the_computer_could_not_do_is_not_held_against_the_image(
    small_bundle, write_image, tmp_path, monkeypatch, error
):  # fmt: skip
    path = write_image("a.png")
    with monkeypatch.context() as patched:
        patched.setattr(OnnxClassifier, "predict", lambda *given: (_ for _ in ()).throw(error))
        (refused,) = told_of(small_bundle, tmp_path / "out", path)
    (judged,) = told_of(small_bundle, tmp_path / "out", path)
    assert (bool(refused.reason), judged.reason) == (True, "")


def test_images_of_the_same_content_each_have_a_line(small_bundle, write_image, tmp_path):
    paths = [write_image(name) for name in ("a.png", "b.png")]
    told_of(small_bundle, tmp_path / "out", *paths)
    assert [line["unit"] for line in lines_of(tmp_path / "out")] == [str(path) for path in paths]


def test_what_was_refused_is_told_again_and_has_one_line(small_bundle, tmp_path):
    (tmp_path / "a.png").write_bytes(b"torn")
    reasons = [
        told_of(small_bundle, tmp_path / "out", tmp_path / name)[0].reason for name in ("a.png", "a.png", "no", "no")
    ]
    assert reasons[0] == reasons[1]
    assert "no must be a file that can be read (No such file or directory)" in reasons[3]
    assert len(lines_of(tmp_path / "out")) == 2


def test_a_torn_last_line_is_cut_off_and_its_unit_judged_again(small_bundle, tiles, tmp_path):
    told_of(small_bundle, tmp_path / "out", tiles / "dark")
    content = (tmp_path / "out" / VERDICTS).read_bytes()
    (tmp_path / "out" / VERDICTS).write_bytes(content[:-40])
    told = told_of(small_bundle, tmp_path / "out", tiles / "dark")
    assert [one.judged is None for one in told] == [True] * 5 + [False]
    assert len({line["unit"] for line in lines_of(tmp_path / "out")}) == len(lines_of(tmp_path / "out")) == 6


def test_tables_hold_what_the_lines_hold(small_bundle, tiles, tmp_path):
    for place in ("dark", "plain"):
        told_of(small_bundle, tmp_path / "out", tiles / place)
        (tmp_path / "out" / TABLE).write_text("lost")
    told_of(small_bundle, tmp_path / "out", tiles / "plain")
    rows = list(csv.DictReader((tmp_path / "out" / TABLE).read_text().splitlines()))
    assert [(row["unit"], row["verdict"]) for row in rows] == [
        (line["unit"], line["verdict"]) for line in lines_of(tmp_path / "out")
    ]


def test_a_start_reads_lines_of_whole_tables_no_further_than_it_must(small_bundle, tiles, tmp_path, monkeypatch):
    (tmp_path / 'torn "\\".png').write_bytes(b"torn")
    told = told_of(small_bundle, tmp_path / "out", tiles / "dark", tmp_path / 'torn "\\".png')
    for module in ("journal", "tables"):
        monkeypatch.setattr(f"glassline.deploy.inspection.{module}.read_line", pytest.fail)
    with Journal(tmp_path / "out") as journal:
        assert sorted(journal.known.values()) == sorted(one.reason for one in told)
        assert len(journal.known) == 7


def test_a_table_that_lacks_a_row_of_a_defect_is_made_anew(tmp_path):
    line = Line(
        unit="a.png", kind="image", verdict="defective", sha256="0", system="A", model="cnn", bundle_sha256="0",
        thresholds={}, runtime="onnxruntime", device="cpu", precision="f32", seconds=1, key="k",
        inspected_utc=datetime.now(UTC), defects=[Found(bbox_px=(1, 2, 3, 4), label="dent", probability=1)] * 2,
    )  # fmt: skip
    with Journal(tmp_path) as journal:
        journal.record(line, ())
    whole = (tmp_path / DEFECTS).read_text()
    (tmp_path / DEFECTS).write_text("".join(whole.splitlines(keepends=True)[:-1]))
    with Journal(tmp_path):
        assert (tmp_path / DEFECTS).read_text() == whole


def test_a_line_that_is_no_verdict_is_named(tmp_path):
    (tmp_path / VERDICTS).write_text('{"format_version": 1}\n')
    with pytest.raises(StorageError, match=r"line 1 of .*verdicts\.jsonl must be a verdict"):
        Journal(tmp_path)


def test_two_inspections_never_write_at_once(tmp_path):
    with Journal(tmp_path), pytest.raises(StorageError, match="one inspection at a time"):
        Journal(tmp_path)


def test_a_file_without_a_whole_line_is_emptied(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 200_000)
    with WholeLines(tmp_path / "a") as lines:
        lines.append("one\n")
    assert (tmp_path / "a").read_text() == "one\n"


def test_each_unit_has_one_line_after_a_kill_in_the_middle(small_bundle, write_image, tmp_path):
    for number in range(120):
        write_image(f"frames/{number:02d}.png", seed=number, width=200, height=200)
    words = [sys.executable, "-m", "glassline_cli", "inspect", small_bundle, tmp_path / "frames"]
    call = [str(word) for word in (*words, "--out", tmp_path / "out", "--threads", 1)]
    running, lines = subprocess.Popen(call, stdout=subprocess.DEVNULL), tmp_path / "out" / VERDICTS
    while not (lines.exists() and lines.read_bytes().count(b"\n") >= 5):
        assert running.poll() is None
        time.sleep(0.01)
    running.kill()
    running.wait()
    before = len(lines.read_bytes().splitlines())
    assert subprocess.run(call, stdout=subprocess.DEVNULL).returncode == 0
    units = [line["unit"] for line in lines_of(tmp_path / "out")]
    assert before < 120
    assert len(units) == len(set(units)) == 120
    assert all((tmp_path / "out" / name).is_file() for line in lines_of(tmp_path / "out") for name in line["overlays"])
