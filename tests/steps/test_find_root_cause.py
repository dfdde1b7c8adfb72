"""The step that raises an alarm where a mark repeats."""

import json

import pytest

from glassline import tracking
from glassline.errors import DataError
from glassline.steps.find_root_cause import content_hash_of, find_root_cause


def _last_run():
    client = tracking.client()
    experiment = client.get_experiment_by_name("glassline")
    return client, client.search_runs([experiment.experiment_id], max_results=1)[0]


@pytest.mark.parametrize(("since", "alarm"), [(3, "yes"), (None, "no")])
def test_the_runs_tag_says_whether_a_mark_repeats(write_shift, tmp_path, since, alarm):
    folder = write_shift(tmp_path / "line", images=12, since=since)
    hashed = content_hash_of(str(folder), "")
    assert find_root_cause(str(folder), hashed, "", {"window": 12}, str(tmp_path / "found")) == alarm
    client, run = _last_run()
    assert run.data.tags["glassline.alarm"] == alarm
    assert run.data.metrics["findings"] == (alarm == "yes")
    pictures = [file.path for file in client.list_artifacts(run.info.run_id, "figures")]
    assert pictures == (["figures/finding-01-line.png"] if alarm == "yes" else [])
    assert len(json.loads((tmp_path / "found" / "root_cause.json").read_text())["findings"]) == (alarm == "yes")


def test_images_of_any_place_have_one_hash_and_one_finding(write_shift, tmp_path, place, send):
    folder = write_shift(tmp_path / "line", images=12)
    send(folder, place)
    hashed = content_hash_of(place, "")
    assert hashed == content_hash_of(str(folder), "")
    assert find_root_cause(place, hashed, "", {"window": 12}, str(tmp_path / "found")) == "yes"


def test_images_that_changed_since_submission_are_refused(write_shift, tmp_path):
    folder = write_shift(tmp_path / "line", images=12)
    hashed = content_hash_of(str(folder), str(folder))
    (folder / "000.png").unlink()
    with pytest.raises(DataError, match="as it was at submission"):
        find_root_cause(str(folder), hashed, str(folder), {"window": 5}, str(tmp_path / "found"))


def test_the_pipelines_own_run_carries_the_alarm(write_shift, tmp_path, monkeypatch):
    for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.setenv(name, "")  # so that they are put back
    run_id = tracking.create_pipeline_run("glassline", "root_cause", {}, None)
    folder = write_shift(tmp_path / "line", images=12)
    find_root_cause(str(folder), "", "", {"window": 12}, str(tmp_path / "found"))
    run = tracking.client().get_run(run_id)
    assert run.data.tags["glassline.alarm"] == "yes"
    assert run.data.metrics["findings"] == 1
