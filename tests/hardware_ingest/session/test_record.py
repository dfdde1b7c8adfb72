import pytest

from glassline.errors import DataError
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
