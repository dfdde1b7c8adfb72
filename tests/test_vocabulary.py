"""One word for one thing: what steps log is named as docs/review.md says."""

import re
from pathlib import Path

import glassline
from glassline.analysis.review_reasons import REASONS
from glassline.tracking.cycles import FAILED, KEPT, PROMOTED, REFUSED
from glassline.tracking.experiments import METRIC_COLUMNS, TAG_COLUMNS

LIBRARY = Path(glassline.__file__).parent
PAGE = (LIBRARY.parent / "docs" / "review.md").read_text()

# Words for what has another name here.
SYNONYMS = (
    r"""["_](fnr|fpr|false_negative_rate|false_positive_rate|miss_rate|acc|f1_macro|f1_score|balanced_accuracy)["_]"""
)


def test_page_names_every_column_reason_and_verdict() -> None:
    told = re.sub(r"data hash", "data_hash", PAGE)
    verdicts = (PROMOTED, KEPT, REFUSED, FAILED)
    assert [name for name in (*TAG_COLUMNS, *METRIC_COLUMNS, *REASONS, *verdicts) if name not in told] == []


def test_no_step_has_another_word_for_a_metric() -> None:
    found = {
        path.name: re.findall(SYNONYMS, path.read_text())
        for folder in ("steps", "analysis")
        for path in (LIBRARY / folder).glob("*.py")
    }
    assert {name: words for name, words in found.items() if words} == {}
