"""What comes in is judged when it is whole, and not before."""

import hashlib
import threading
import time

import cv2
import numpy as np
import pytest

from glassline.data.captures.store import open_captures
from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspection.inspector import open_inspector
from glassline.deploy.inspection.journal import Journal
from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.run import Inspection
from glassline.deploy.inspection.running import Running
from glassline.deploy.inspection.watch import Watch
from glassline.errors import ModelError, StorageError
from tests.deploy.inspection.conftest import half_of, lines_of, write_endless
from tests.waiting import wait_until


class Watched:
    """A watch of a folder at work in a thread."""

    def __init__(self, bundle, folder, out, patience_s):
        loaded = load_bundle(bundle)
        self.inspector = open_inspector(loaded, Running(threads=1))
        self.out, self.told, self.warned = out, [], []
        self.journal = Journal(out)
        self.inspection = Inspection(self.inspector, loaded, Running(), self.journal)
        self.watch = Watch(
            lambda: list_units([str(folder)], self.inspector.by_glass), self.warned.append, self.inspection.stop, 0.05,
            patience_s,
        )  # fmt: skip
        self.inspection.hold, self.inspection.wait_for_room = self.watch.hold, self.watch.wait_for_room
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        for told in self.watch.run(self.inspection):
            self.told.append(told)

    def wait(self, count):
        """Wait until so many units are told."""
        wait_until(lambda: len(self.told) >= count)
        assert len(self.told) == count
        return [told.unit.name.rpartition("/")[2] for told in self.told]

    def close(self):
        self.inspection.stop.set()
        if self.thread.ident:
            self.thread.join(20)
        assert not self.thread.is_alive()
        self.journal.__exit__(None, None, None)


@pytest.fixture
def watched(small_bundle, tmp_path):
    """Watch a folder: watched() starts."""
    (tmp_path / "frames").mkdir()
    opened = []

    def start(bundle=small_bundle, patience_s=0.5):
        opened.append(Watched(bundle, tmp_path / "frames", tmp_path / "out", patience_s))
        opened[-1].thread.start()
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def test_a_folder_that_is_not_there_is_told_each_time_it_goes_and_waited_for(watched, write_image, tmp_path):
    missing = f"{tmp_path / 'frames'} must be a folder or file that is there, got none; waiting for it"
    (tmp_path / "frames").rmdir()
    watch = watched()
    wait_until(lambda: watch.warned == [missing])
    time.sleep(0.3)
    write_image("frames/a.png")
    watch.wait(1)
    assert watch.warned == [missing]
    (tmp_path / "frames").rename(tmp_path / "elsewhere")
    wait_until(lambda: watch.warned == [missing] * 2)


def test_an_empty_folder_is_told_at_the_first_look(watched, write_image):
    watch = watched()
    wait_until(lambda: watch.warned)
    write_image("frames/a.png")
    watch.wait(1)
    assert watch.warned == ["nothing is there yet: an empty folder, or a share that is not mounted; waiting"]


def test_images_are_judged_as_they_come_once_each(watched, write_image):
    watch = watched()
    for number, name in enumerate(("a.png", "sub/b.png"), 1):
        write_image(f"frames/{name}", seed=number)
        watch.wait(number)
    time.sleep(0.3)
    assert len(lines_of(watch.out)) == 2


def test_an_image_that_is_still_written_is_waited_for(watched, write_image, tmp_path):
    whole = write_image("whole.png", width=300, height=300).read_bytes()
    watch = watched(patience_s=60)
    with open(tmp_path / "frames" / "slow.png", "wb") as stream:
        for at in range(0, len(whole), len(whole) // 4):
            stream.write(whole[at : at + len(whole) // 4])
            stream.flush()
            time.sleep(0.2)  # longer than two looks
            assert watch.told == [] or stream.tell() == len(whole)
    assert watch.wait(1) == ["slow.png"]
    assert lines_of(watch.out)[0]["verdict"] != "refused"


@pytest.mark.parametrize("suffix", [".bmp", ".tif", ".npy"])
def test_an_image_laid_out_at_its_full_size_is_waited_for(watched, tmp_path, suffix):
    whole, path = write_endless(tmp_path / f"whole{suffix}"), tmp_path / "frames" / f"slow{suffix}"
    path.write_bytes(half_of(whole))
    watch = watched(patience_s=60)
    time.sleep(0.6)  # longer than two looks
    assert watch.told == []
    path.write_bytes(whole)
    watch.watch.patience_s = 0.5
    assert watch.wait(1) == [path.name]
    assert lines_of(watch.out)[0]["sha256"] == hashlib.sha256(whole).hexdigest()


@pytest.mark.parametrize(
    "error", [StorageError("the store must answer, got nothing; wait"), MemoryError(), ModelError("m")]
)
def test_what_could_not_be_looked_at_is_told_once_and_tried_again(watched, write_image, monkeypatch, error):
    watch, away = watched(patience_s=0.3), threading.Event()
    away.set()
    judge, tries = watch.inspector.judge, []

    def judged(seen):
        tries.append(seen)
        if away.is_set():
            raise error
        return judge(seen)

    monkeypatch.setattr(watch.inspector, "judge", judged)
    write_image("frames/a.png")
    watch.wait(1)
    wait_until(lambda: len(tries) > 2)
    assert len(watch.told) == 1
    away.clear()
    watch.wait(2)
    assert [line["verdict"] == "refused" for line in lines_of(watch.out)] == [True, False]


def test_an_image_that_stays_broken_is_refused_in_the_end_and_judged_when_mended(watched, write_image, tmp_path):
    (tmp_path / "frames" / "a.png").write_bytes(b"torn")
    watch = watched()
    watch.wait(1)
    write_image("frames/a.png")
    watch.wait(2)
    assert [line["verdict"] == "refused" for line in lines_of(watch.out)] == [True, False]


def test_partial_names_and_other_files_are_passed_over(watched, write_image, tmp_path):
    whole = write_image("whole.png").read_bytes()
    for name in ("a.png.part", ".b.png", "c.tmp"):
        (tmp_path / "frames" / name).write_bytes(whole)
    watch = watched()
    (tmp_path / "frames" / "a.png.part").rename(tmp_path / "frames" / "a.png")
    assert watch.wait(1) == ["a.png"]


def test_a_glass_is_judged_when_no_zone_is_on_its_way(watched, segmenter_bundle, tmp_path, dark_zone, zone_meta):
    captures, frames_SHW = open_captures(tmp_path / "frames"), dark_zone(size_px=64)[0]
    captures.write(zone_meta(), frames_SHW)
    manifest = tmp_path / "frames" / "G0001.zarr" / "clean-00" / "manifest.json"
    content = manifest.read_bytes()
    manifest.unlink()
    watch = watched(segmenter_bundle)
    time.sleep(1)
    assert watch.told == []
    manifest.write_bytes(content)
    assert watch.wait(1) == ["G0001"]


def test_a_verdict_that_finds_no_room_is_written_once_there_is(watched, write_image, monkeypatch):
    write_image("frames/a.png")  # an empty folder would be told of too
    watch, full = watched(), threading.Event()
    watch.wait(1)
    full.set()
    record = watch.journal.record

    def recorded(line, pictures):
        if full.is_set():
            raise StorageError("verdicts.jsonl needs more space than its disk has; free some")
        record(line, pictures)

    monkeypatch.setattr(watch.journal, "record", recorded)
    write_image("frames/b.png", seed=1)
    wait_until(lambda: watch.warned)
    time.sleep(0.3)
    assert watch.warned == ["verdicts.jsonl needs more space than its disk has; free some; waiting"]
    full.clear()
    watch.wait(2)
    assert watch.warned[1:] == ["there is room again: going on"]
    assert len(lines_of(watch.out)) == 2


def test_an_image_that_goes_away_again_is_forgotten(watched, tmp_path):
    (tmp_path / "frames" / "a.png").write_bytes(b"torn")
    watch = watched(patience_s=60)
    time.sleep(0.3)
    (tmp_path / "frames" / "a.png").unlink()
    assert cv2.imwrite(str(tmp_path / "frames" / "b.png"), np.zeros((40, 40), np.uint8))
    assert watch.wait(1) == ["b.png"]
