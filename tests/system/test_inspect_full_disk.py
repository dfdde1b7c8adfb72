"""A disk that fills up while a folder is watched. Needs root, for a small disk in memory."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.deploy.bundles import classifier_bundle
from tests.waiting import wait_until


@pytest.fixture
def small_disk(tmp_path) -> Path:
    """A disk of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_watch_on_a_full_disk_waits_and_loses_no_verdict(small_disk, tmp_path):
    classifier_bundle(tmp_path / "bundle.zip")
    (tmp_path / "frames").mkdir()
    for number in range(12):
        noise_HW = np.random.default_rng(number).integers(0, 256, (256, 256), np.uint8)
        assert cv2.imwrite(str(tmp_path / "frames" / f"{number:02d}.png"), noise_HW)
    lines, warned = small_disk / "out" / "verdicts.jsonl", tmp_path / "warned"
    words = ["inspect", tmp_path / "bundle.zip", tmp_path / "frames", "--watch", "--out", small_disk / "out"]
    with warned.open("w") as stderr:
        running = subprocess.Popen([sys.executable, "-m", "glassline_cli", *map(str, words)], stderr=stderr)
        wait_until(lambda: "needs more space than its disk has" in warned.read_text())
        time.sleep(2.5)  # it tries again, and says nothing
        assert len(warned.read_text().splitlines()) == 1
        torn = [json.loads(line)["unit"] for line in lines.read_text().splitlines()]
        assert len(torn) < 12
        subprocess.run(["mount", "-o", "remount,size=16m", str(small_disk)], check=True)
        wait_until(lambda: len(lines.read_text().splitlines()) == 12)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    assert len({line["unit"] for line in told}) == 12
    assert all((small_disk / "out" / name).is_file() for line in told for name in line["overlays"])
    assert warned.read_text().splitlines()[1:] == ["warning: there is room again: going on"]
    assert not list((small_disk / "out").rglob("*.partial"))
