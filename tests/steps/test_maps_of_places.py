"""Maps that one step leaves in a store and another reads, perhaps on another machine."""

from collections.abc import Callable

import numpy as np

from glassline.data.store import open_store
from glassline.steps.detect_defects import read_severity
from glassline.steps.segment_captures import SCORE, read_score, write_score


def test_a_severity_map_is_read_by_its_url(place: str, elsewhere: Callable[[], None]) -> None:
    severity_RC = np.random.default_rng(0).random((5, 7), np.float32)

    def make(folder) -> None:
        folder.mkdir(parents=True)
        np.save(folder / "severity.npy", severity_RC)

    url = open_store(place).made("severity/k", make).url
    elsewhere()
    np.testing.assert_array_equal(read_severity(f"{url}/severity.npy"), severity_RC)


def test_a_score_map_is_read_by_the_url_of_its_folder(place: str, elsewhere: Callable[[], None]) -> None:
    score_hw = np.arange(12, dtype=np.float32).reshape(3, 4) * np.float32(20 / 255)

    def make(folder) -> None:
        folder.mkdir(parents=True)
        write_score(folder / SCORE, score_hw)

    url = open_store(place).made("scores/k", make).url
    elsewhere()
    np.testing.assert_allclose(read_score(url, SCORE), score_hw, atol=1e-6)
