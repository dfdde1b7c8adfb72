"""Without a watch: what is there is judged once, and what may be half written last."""

import hashlib
import os
import time

import pytest

from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspection.inspector import open_inspector
from glassline.deploy.inspection.journal import Journal
from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.once import judge_once
from glassline.deploy.inspection.run import Inspection
from glassline.deploy.inspection.running import Running
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


def test_an_image_that_goes_while_it_is_waited_for_is_refused(judged, tmp_path):
    (tmp_path / "frames").mkdir()
    write_endless(tmp_path / "frames" / "a.bmp")
    assert judged(lambda text: (tmp_path / "frames" / "a.bmp").unlink()) == ["a.bmp"]
    assert "must be a file that can be read" in lines_of(tmp_path / "out")[0]["reason"]
