"""A search: what it leaves, how it goes on after a kill, what it refuses."""

from multiprocessing import get_context

import pandas as pd
import pytest
import yaml

from glassline.data.alone import alone
from glassline.errors import DataError, ModelError, SettingsError, StorageError
from glassline.tracking import children, client
from glassline.tuning.tune import STUDY
from tests.tuning.sum_subject import Collapsing, Deadly, Killed, Starving, Stopped, search

TWO = ("cnn.kernel_px", "cnn.pool_px")


@pytest.fixture
def study_run(database):
    """Return the id of the newest study's run."""

    def newest() -> str:
        experiment = client().get_experiment_by_name("glassline")
        (run,) = client().search_runs([experiment.experiment_id], "tags.pipeline = 'tune'", max_results=1)
        return run.info.run_id

    return newest


def test_search_finds_better_settings_with_every_trial(table, tmp_path):
    outcome = search(table, tmp_path / "out", trials=12)
    complete = outcome.trials[outcome.trials["state"] == "complete"]
    best = complete.loc[complete["score"].idxmax()]
    assert len(outcome.trials) == 12
    assert (outcome.score, outcome.settings["learning_rate"]) == (best["score"], best["learning_rate"])
    assert outcome.score > complete["score"].quantile(0.75)


def test_search_writes_settings_trials_and_a_page(table, tmp_path):
    outcome = search(table, tmp_path / "out")
    best = (tmp_path / "out" / "best.yaml").read_text()
    assert yaml.safe_load(best) == {"training": {"epochs": 4}}
    assert best.splitlines()[2] == "# glassline run retrain"
    assert list(pd.read_csv(tmp_path / "out" / "trials.csv")["score"]) == list(outcome.trials["score"])
    assert "Tuning of cnn" in (tmp_path / "out" / "tune.html").read_text()


def test_every_trial_is_a_child_run_with_its_settings_state_and_epochs(table, tmp_path, study_run):
    outcome = search(table, tmp_path / "out", trials=12)
    runs = [client().get_run(child["run_id"]) for child in children(study_run())]
    assert [run.data.tags["state"] for run in runs] == list(outcome.trials["state"])
    assert [float(run.data.params["learning_rate"]) for run in runs] == list(outcome.trials["learning_rate"])
    assert [len(client().get_metric_history(run.info.run_id, "score")) for run in runs] == list(
        outcome.trials["epochs"]
    )
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_pruned_trials_end_early_and_no_trial_leaves_checkpoints(table, tmp_path):
    outcome = search(table, tmp_path / "out", trials=14)
    pruned = outcome.trials[outcome.trials["state"] == "pruned"]
    assert len(pruned)
    assert pruned["score"].isna().all()
    assert (pruned["epochs"] < 4).all()
    assert not list((tmp_path / "out" / "checkpoints").rglob("*.ckpt"))


def test_same_seed_gives_the_same_trials_and_another_one_others(table, tmp_path):
    drawn = [list(search(table, tmp_path / str(n), seed=n // 2).trials["learning_rate"]) for n in range(3)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_trial_has_one_number_in_what_is_printed_in_mlflow_and_in_the_table(table, tmp_path, study_run, capsys):
    killed = get_context("spawn").Process(target=search, args=(table, tmp_path / "out", Killed), kwargs={"trials": 8})
    killed.start()
    killed.join()
    outcome = search(table, tmp_path / "out", trials=9)
    printed = [
        line.split(" trial ")[1].split()[0] for line in capsys.readouterr().out.splitlines() if " trial " in line
    ]
    assert printed == ["8", "9"]
    assert [str(one) for one in outcome.trials["trial"]][-2:] == printed
    named = [child["name"] for child in children(study_run())]
    assert [name for name in named if name.split()[-1] in printed] == ["trial 8", "trial 9"]


def test_search_is_in_the_experiment_of_its_product(make_table, tmp_path, database):
    made = make_table(["dent", "mold"] * 3, fold=[0, 0, 1, 1, 2, 2], product="P2")
    made.write(tmp_path / "split.parquet")
    search(tmp_path / "split.parquet", tmp_path / "out", trials=1)
    experiment = client().get_experiment_by_name("glassline-P2")
    assert len(client().search_runs([experiment.experiment_id], "tags.pipeline = 'tune'")) == 1


def test_more_trials_go_on_from_those_there(table, tmp_path, study_run):
    first = search(table, tmp_path / "out", trials=2)
    more = search(table, tmp_path / "out", trials=4)
    assert len(more.trials) == 4
    pd.testing.assert_frame_equal(more.trials.iloc[:2], first.trials)
    assert len(children(study_run())) == 4
    again = search(table, tmp_path / "out", trials=4)
    pd.testing.assert_frame_equal(again.trials, more.trials)


@pytest.mark.parametrize("grid", [False, True])
def test_killed_search_goes_on_as_if_unbroken(table, tmp_path, study_run, grid):
    asked = {"trials": 10, "grid": grid, "fixed": TWO}
    process = get_context("spawn").Process(target=search, args=(table, tmp_path / "out", Killed), kwargs=asked)
    process.start()
    process.join()
    assert process.exitcode == -9
    resumed, unbroken = search(table, tmp_path / "out", **asked), search(table, tmp_path / "other", **asked)
    kept = ["state", "score", "epochs", "cnn.filters", "cnn.depth"]
    pd.testing.assert_frame_equal(resumed.trials[kept], unbroken.trials[kept])
    assert list(resumed.trials["trial"]) == [*range(7), *range(8, len(resumed.trials) + 1)]
    assert not list((tmp_path / "out" / "checkpoints").rglob("*.ckpt"))


def test_trial_that_was_killed_is_closed_and_tagged(table, tmp_path, study_run):
    process = get_context("spawn").Process(target=search, args=(table, tmp_path / "out", Killed), kwargs={"trials": 9})
    process.start()
    process.join()
    search(table, tmp_path / "out", trials=9)
    runs = children(study_run())
    assert [run["status"] for run in runs].count("KILLED") == 1
    assert runs[7]["status"] == "KILLED"
    assert client().get_run(runs[7]["run_id"]).data.tags["state"] == "failed"


def test_trial_whose_fit_fails_counts_and_the_search_goes_on(table, tmp_path, study_run):
    outcome = search(table, tmp_path / "out", Collapsing, trials=4)
    assert list(outcome.trials["state"]) == ["failed", "complete", "failed", "complete"]
    runs = children(study_run())
    assert [run["status"] for run in runs] == ["FAILED", "FINISHED"] * 2
    with pytest.raises(ModelError, match="got none of 1, the last one for: embeddings must differ"):
        search(table, tmp_path / "other", Collapsing, trials=1)


def test_trial_that_runs_out_of_memory_counts_and_the_search_goes_on(table, tmp_path, study_run):
    outcome = search(table, tmp_path / "out", Starving, trials=4)
    assert list(outcome.trials["state"]) == ["failed", "complete", "failed", "complete"]
    assert [run["status"] for run in children(study_run())] == ["FAILED", "FINISHED"] * 2


def test_trial_whose_settings_killed_two_processes_counts_and_the_search_goes_on(table, tmp_path):
    for _ in range(2):
        process = get_context("spawn").Process(target=search, args=(table, tmp_path / "out", Deadly))
        process.start()
        process.join()
        assert process.exitcode == -9
    outcome = search(table, tmp_path / "out", Deadly)
    assert list(outcome.trials["state"]) == ["failed", "complete", "complete"]
    assert list(outcome.trials["epochs"]) == [1, 4, 4]


def test_trial_is_not_passed_over_for_what_is_no_fault_of_its_settings(table, tmp_path):
    for _ in range(3):
        with pytest.raises(StorageError, match="disk is full"):
            search(table, tmp_path / "out", Stopped)
    assert list(search(table, tmp_path / "out").trials["state"]) == ["complete"] * 3


def test_grid_tries_every_combination_once(table, tmp_path):
    outcome = search(table, tmp_path / "out", trials=1, grid=True, fixed=TWO)
    tried = outcome.trials[["cnn.filters", "cnn.depth"]].drop_duplicates()
    assert len(outcome.trials) == len(tried) == 9
    assert set(outcome.trials["state"]) == {"complete"}
    assert outcome.settings["cnn.filters"] == 16
    assert (tmp_path / "out" / "tuning.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("asked", "match"),
    [
        ({"seed": 1}, "same seed, got a study of another: seed 0; choose another --out"),
        ({"epochs": 5}, "same settings, got a study of another"),
        ({"fixed": TWO}, "same search, got a study of another"),
        ({"method": "mlp"}, "same method, search, got a study of another"),
    ],
)
def test_study_of_something_else_is_refused(table, tmp_path, asked, match):
    search(table, tmp_path / "out", trials=1)
    with pytest.raises(SettingsError, match=match):
        search(table, tmp_path / "out", trials=1, **asked)


def test_study_of_other_data_is_refused(table, tmp_path, make_table):
    search(table, tmp_path / "out", trials=1)
    make_table(["dent", "mold"] * 4, fold=[0, 0, 1, 1, 2, 2, 2, 2], name="other").write(table)
    with pytest.raises(SettingsError, match="same data, got a study of another"):
        search(table, tmp_path / "out", trials=1)


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"trials": 0}, SettingsError, "--trials must be >= 1, got 0; raise it"),
        ({"method": "mlp", "grid": True}, SettingsError, "--grid needs a method of cnn, .*, got mlp"),
        ({"grid": True, "fixed": ("cnn",)}, SettingsError, "a setting that --set leaves open, got none of cnn.filters"),
    ],
)
def test_searches_for_nothing_are_refused(table, tmp_path, asked, error, match):
    with pytest.raises(error, match=match):
        search(table, tmp_path / "out", **asked)


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be read as one" * 40, b"SQLite format 3\0"]
)
def test_broken_study_is_refused_and_left_as_it_is(table, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / STUDY).write_bytes(content)
    with pytest.raises(DataError, match=r"study\.db must be a study that `glassline tune` wrote, got something else"):
        search(table, tmp_path / "out")
    assert (tmp_path / "out" / STUDY).read_bytes() == content


def test_second_search_in_one_folder_is_refused(table, tmp_path):
    (tmp_path / "out").mkdir()
    with alone(tmp_path / "out"), pytest.raises(StorageError, match="used by one run at a time"):
        search(table, tmp_path / "out")
