from dataclasses import asdict, replace

import pandas as pd
import pytest

from glassline.analysis.operating_point import OperatingPoint, error_rates
from glassline.errors import DataError
from glassline.report.page import write_page
from glassline.report.scratch_section import SegmentationResult, scratch_sections

_GLASSES = pd.DataFrame(
    {
        "glass": ["found", "missed", "alarm", "clean"],
        "defective": [True, True, False, False],
        "peak": [0.9, 0.2, 0.8, 0.0],
        "rejected": [True, False, True, False],
    }
)


def _result():
    peaks, defective = _GLASSES["peak"].to_numpy(), _GLASSES["defective"].to_numpy()
    rates = error_rates(peaks, defective, 0.5)
    rows = [{"method": "network", "unit": unit, **asdict(rates)} for unit in ("glass", "zone")]
    pixels = pd.DataFrame([{"method": "network", "tolerance_px": 2, "f1": 0.75}])
    return SegmentationResult(pd.DataFrame(rows), pixels, _GLASSES, OperatingPoint(0.5, 0.024, rates, "few"), 870_123)


@pytest.fixture
def sections(tmp_path):
    def build(**replaced):
        replace(_result(), **replaced).write(tmp_path)
        return scratch_sections(tmp_path)

    return build


def test_sections_state_each_rate_with_its_denominator_and_interval(sections):
    errors = sections()[0].tables[0].rows
    assert [row["judged"] for row in errors] == ["glass", "zone"]
    assert errors[0]["FN"] == "1 of 2 (50.0\u00a0%, 9.5\u00a0% to 90.5\u00a0%)"
    assert errors[0]["FP"].startswith("1 of 2 (")


def test_sections_tell_how_the_threshold_was_chosen(sections):
    note = sections()[0].note.replace("\u00a0", " ")
    for part in ("from a peak of 0.500", "4 validation glasses", "at most 2.4 %", "misses 1 of 2", "Beware: few.",
                 "870,123 parameters"):  # fmt: skip
        assert part in note


def test_sections_list_misses_first_then_false_alarms(sections):
    verdicts = sections()[1]
    assert [row["glass"] for row in verdicts.tables[0].rows] == ["missed", "alarm", "found", "clean"]
    assert verdicts.note.startswith("Of 4 test glasses 1 were missed, 1 falsely rejected")


def test_sections_show_sixty_glasses_and_say_so(sections):
    many = pd.concat([_GLASSES] * 50, ignore_index=True)
    verdicts = sections(glasses=many)[1]
    assert len(verdicts.tables[0].rows) == 60
    assert "The first 60 are shown." in verdicts.note


def test_sections_stand_without_a_glass_or_a_figure(sections):
    first, second = sections(glasses=_GLASSES[:0], pixels=pd.DataFrame(), rates=_result().rates[:0])
    assert (first.figures, second.tables[0].rows) == ([], [])


def test_sections_show_figures_then_misses_false_alarms_and_hits(sections, tmp_path, png):
    for name in ("overlay_hit_1", "overlay_false_alarm_1", "overlay_miss_1", "trade_off"):
        (tmp_path / f"{name}.png").write_bytes(png)
    captions = [figure.caption for figure in sections()[0].figures]
    assert [caption.split()[-1] for caption in captions] == ["threshold", "miss", "alarm", "hit"]


def test_page_shows_the_sections(sections, content, tmp_path):
    hostile = "<b>very long name</b> " * 9
    built = sections(rates=_result().rates.assign(method=hostile))
    write_page(content(sections=built), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in html
    for part in ("Verdict on each glass", "1 of 2 (50.0", "<h3>Test glasses</h3>", "F1"):
        assert part in html
    assert "No figure." not in html


def test_result_reads_what_it_wrote(tmp_path):
    result = _result()
    result.write(tmp_path)
    read = SegmentationResult.read(tmp_path)
    assert (read.point, read.parameters) == (result.point, result.parameters)
    pd.testing.assert_frame_equal(read.rates, result.rates)


def test_result_says_which_file_is_missing(tmp_path):
    _result().write(tmp_path)
    (tmp_path / "glasses.parquet").unlink()
    with pytest.raises(DataError, match=r"missing: glasses\.parquet; run evaluate_segmentation again"):
        SegmentationResult.read(tmp_path)
