import pytest

from glassline.errors import DataError, SettingsError
from hardware_ingest.rig.settings import RigSettings
from hardware_ingest.session.record import Job, begin_or_resume

JOB = Job(glass="G0001", kind="clean", product="P", cycle="1")


def test_a_session_file_that_was_edited_is_refused(tmp_path):
    begin_or_resume(tmp_path, JOB, RigSettings())
    path = tmp_path / "G0001-clean.session.json"
    path.write_text(path.read_text().replace('"gain_db": 0.0', '"gain_db": 6.0'))
    with pytest.raises(DataError, match="its hash does not match"):
        begin_or_resume(tmp_path, JOB, RigSettings())


@pytest.mark.parametrize("content", ["", "{", "[]", '{"sha256": 3}', '{"sha256": "0", "settings": []}'])
def test_a_session_file_that_is_damaged_is_refused(tmp_path, content):
    (tmp_path / "G0001-clean.session.json").write_text(content)
    with pytest.raises(DataError, match="as it was written"):
        begin_or_resume(tmp_path, JOB, RigSettings())


def test_a_session_goes_on_with_more_retries(tmp_path):
    begin_or_resume(tmp_path, JOB, RigSettings())
    begin_or_resume(tmp_path, JOB, RigSettings(retries=9))


@pytest.mark.parametrize(
    "changed",
    [{"cameras": [{"mosaic": "RGGB"}]}, {"cameras": [{"x_px": 8}]}, {"stage": {"origin_mm": [1, 0]}}],
)
def test_a_session_does_not_go_on_with_another_region_filter_or_origin(tmp_path, changed):
    begin_or_resume(tmp_path, JOB, RigSettings())
    with pytest.raises(SettingsError, match="begun with"):
        begin_or_resume(tmp_path, JOB, RigSettings.parse(changed))
