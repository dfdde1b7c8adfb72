"""Small made-up figures and pages."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from glassline.report.page import LooksElsewhere, PageFigure, ReportContent, Section, Verdict


@pytest.fixture
def png() -> bytes:
    """A grey picture of 30 x 20 px."""
    return bytes(cv2.imencode(".png", np.full((20, 30), 90, np.uint8))[1])


@pytest.fixture
def content(png: bytes) -> Callable[..., ReportContent]:
    """A page with something in every part: content(title="…") replaces a part."""

    def build(**replaced: object) -> ReportContent:
        parts: dict[str, object] = {
            "title": "Retraining",
            "facts": {"run id": "3f1c", "data hash": "9a3e"},
            "verdict": Verdict(True, "cnn is the champion", ["McNemar p = 0.001"]),
            "models": [{"model": "mlp", "accuracy": 0.8}, {"model": "cnn", "accuracy": 0.9}],
            "significance": [{"model": "cnn", "mcnemar_p": 1e-9}],
            "per_class": [{"class": "dent", "recall": 0.95, "samples": 1200}],
            "sections": [Section("Confusion", [PageFigure(png, "matrix of cnn")], "All folds.")],
            "warnings": ["class fold has few groups"],
            "elsewhere": [LooksElsewhere("glass-1.png", "dent", "fold", 0.07, png)],
            "highlights": {"folds": "10"},
        }
        return ReportContent(**{**parts, **replaced})

    return build
