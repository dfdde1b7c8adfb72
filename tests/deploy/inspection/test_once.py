"""Without a watch: what is there is judged once, and what may be half written last."""

import hashlib
import itertools
import os
import time

import pytest

from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspection.candidates import CandidateInspector
from glassline.deploy.inspection.inspector import open_inspector
from glassline.deploy.inspection.journal import Journal
from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.once import judge_once
from glassline.deploy.inspection.run import Inspection
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.units import ImageUnit
from tests.deploy.inspection.conftest import date_ahead, half_of, lines_of, write_endless


@pytest.fixture
def judged(small_bundle, tmp_path):
    """Judge the folder once and return the names in order; `tell` is called when something is waited for."""

    def run(tell):
        loaded = load_bundle(small_bundle)
        inspector = open_inspector(loaded, Running(threads=1))
        with Journal(tmp_path / "out") as journal:
            inspection = Inspection(inspector, loaded, Running(), journal)
            units = list_units([str(tmp_path / "frames")], inspector.by_glass)
            told = list(judge_once(inspection, units, tell, patience_s=0.5, poll_s=0.05))
        return [one.unit.name.rpartition("/")[2] for one in told]

    return run


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".npy"])
def test_an_image_that_is_still_written_is_judged_when_it_is_whole(judged, write_image, tmp_path, suffix):
    write_image("frames/b.png")
    path = tmp_path / "frames" / f"a{suffix}"
    whole, told = write_endless(path), []
    path.write_bytes(half_of(whole))
    date_ahead(path)

    def tell(text):
        told.append(text)
        path.write_bytes(whole)

    assert judged(tell) == ["b.png", path.name]
    assert told == ["1 image may still be written: judged after 0.5 seconds without a change"]
    assert lines_of(tmp_path / "out")[1]["sha256"] == hashlib.sha256(whole).hexdigest()


def test_each_of_several_is_judged_once(judged, tmp_path):
    (tmp_path / "frames").mkdir()
    names, told = ["a.bmp", "b.npy", "c.tif"], []
    for name in names:
        write_endless(tmp_path / "frames" / name)
    assert judged(told.append) == names
    assert told == ["3 images may still be written: judged after 0.5 seconds without a change"]


def test_what_was_written_long_ago_or_tells_its_end_is_not_waited_for(judged, write_image, tmp_path):
    write_image("frames/b.png")
    (tmp_path / "frames" / "c.png").write_bytes(b"torn")
    write_endless(tmp_path / "frames" / "a.bmp")
    os.utime(tmp_path / "frames" / "a.bmp", (time.time() - 60, time.time() - 60))
    told = []
    assert judged(told.append) == ["a.bmp", "b.png", "c.png"]
    assert told == []
    assert [line["verdict"] == "refused" for line in lines_of(tmp_path / "out")] == [False, False, True]


def test_an_image_that_has_no_content_yet_is_waited_for(judged, tmp_path):
    (tmp_path / "frames").mkdir()
    path = tmp_path / "frames" / "a.bmp"
    whole = write_endless(path)
    path.write_bytes(b"")
    date_ahead(path)
    assert judged(lambda text: path.write_bytes(whole)) == ["a.bmp"]
    assert lines_of(tmp_path / "out")[0]["sha256"] == hashlib.sha256(whole).hexdigest()


def test_an_image_that_changes_while_others_are_judged_is_waited_for_again(judged, tmp_path, monkeypatch):
    (tmp_path / "frames").mkdir()
    wholes = {path: write_endless(path) for path in (tmp_path / "frames" / f"{name}.bmp" for name in "abcdef")}
    last, content = list(wholes.items())[-1]
    judge, count = CandidateInspector.judge, itertools.count()

    def judge_and_write(inspector, seen):
        if (number := next(count)) in (0, 4):  # of the first and the last of the others
            last.write_bytes(content if number else half_of(content))
        return judge(inspector, seen)

    monkeypatch.setattr(CandidateInspector, "judge", judge_and_write)
    assert judged(lambda text: None)[-1] == last.name
    lines = lines_of(tmp_path / "out")
    assert {line["sha256"] for line in lines} == {hashlib.sha256(content).hexdigest()}
    assert len(lines) == len(wholes)


def test_an_image_that_never_stays_the_same_is_refused(judged, tmp_path, monkeypatch):
    (tmp_path / "frames").mkdir()
    path, looks = tmp_path / "frames" / "a.bmp", itertools.count(time.time_ns() + 3600 * 10**9)
    write_endless(path)
    monkeypatch.setattr(ImageUnit, "signature", lambda unit: (1, next(looks), 1))
    assert judged(lambda text: None) == ["a.bmp"]
    (line,) = lines_of(tmp_path / "out")
    assert (line["verdict"], line["unit"]) == ("refused", str(path))
    assert "must stay as it is for 0.5 seconds, it still changes after 3" in line["reason"]


def test_an_image_that_goes_while_it_is_waited_for_is_refused(judged, tmp_path):
    (tmp_path / "frames").mkdir()
    write_endless(tmp_path / "frames" / "a.bmp")
    assert judged(lambda text: (tmp_path / "frames" / "a.bmp").unlink()) == ["a.bmp"]
    assert "must be a file that can be read" in lines_of(tmp_path / "out")[0]["reason"]
