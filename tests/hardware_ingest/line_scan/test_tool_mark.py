"""Simulated glasses that a tool scratches."""

import cv2
import numpy as np
import pytest

from glassline.errors import SettingsError
from hardware_ingest.line_scan import tool_mark
from hardware_ingest.line_scan.tool_mark import simulate_tool_mark


def test_later_glasses_have_the_scratch_and_earlier_ones_not(tmp_path, monkeypatch):
    marked = simulate_tool_mark(3, 0, tmp_path / "marked")
    monkeypatch.setattr(tool_mark, "CONTRAST", 0.0)
    monkeypatch.setattr(tool_mark, "scratched", lambda grey_HW: grey_HW)
    plain = simulate_tool_mark(3, 0, tmp_path / "plain")
    differs = [
        np.argwhere(cv2.imread(str(marked / name), 0) != cv2.imread(str(plain / name), 0))
        for name in ("glass-0000.png", "glass-0002.png")
    ]
    assert len(differs[0]) == 0
    assert np.abs(differs[1].min(axis=0) - [400, 180]).max() <= 2
    assert np.abs(differs[1].max(axis=0) - [520, 330]).max() <= 2


def test_no_glass_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="glasses"):
        simulate_tool_mark(0, 0, tmp_path / "none")
