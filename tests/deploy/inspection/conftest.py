"""Inspect with any bundle, in this process."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from glassline.deploy.bundle import load_bundle
from glassline.deploy.inspection.inspector import open_inspector
from glassline.deploy.inspection.journal import VERDICTS, Journal
from glassline.deploy.inspection.listing import list_units
from glassline.deploy.inspection.run import Inspection, Told
from glassline.deploy.inspection.running import Running
from tests.deploy.bundles import classifier_bundle


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the bundle of an untrained classifier of candidates."""
    path = tmp_path_factory.mktemp("small") / "bundle.zip"
    classifier_bundle(path)
    return path


@pytest.fixture
def inspected(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Inspect into OUT and return its lines: inspected(bundle, folder)."""

    def run(bundle: Path, *places: Path | str, **how: Any) -> list[dict[str, Any]]:
        told_of(bundle, tmp_path / "out", *places, **how)
        return lines_of(tmp_path / "out")

    return run


def told_of(bundle: Path, out: Path, *places: Path | str, **how: Any) -> list[Told]:
    """Inspect and return what was told."""
    loaded, running = load_bundle(bundle), Running(threads=1, **how)
    inspector = open_inspector(loaded, running)
    with Journal(out) as journal:
        inspection = Inspection(inspector, loaded, running, journal)
        return list(inspection.judge(list_units([str(place) for place in places], inspector.by_glass)))


def write_endless(path: Path) -> bytes:
    """Write an image of a format without an end mark and return its bytes.

    It is dated an hour ahead: just written, however long what looks at it takes to start.
    """
    grey_HW = np.random.default_rng(0).integers(0, 256, (90, 80), np.uint8)
    if path.suffix == ".npy":
        np.save(path, grey_HW)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, grey_HW)
    else:
        assert cv2.imwrite(str(path), grey_HW)
    date_ahead(path)
    return path.read_bytes()


def date_ahead(path: Path) -> None:
    """Date a file an hour ahead."""
    os.utime(path, (time.time() + 3600, time.time() + 3600))


def half_of(whole: bytes) -> bytes:
    """Return what is there of a file that is laid out at its full size, with a tenth of its content."""
    return whole[: len(whole) // 10] + bytes(len(whole) - len(whole) // 10)


def lines_of(out: Path) -> list[dict[str, Any]]:
    """Return the lines of a folder of verdicts."""
    return [json.loads(line) for line in (out / VERDICTS).read_text().splitlines()]
