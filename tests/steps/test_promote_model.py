"""The registry's champion: the first, a better one, an equal one, a damaged one, and one that moved meanwhile."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from glassline import tracking
from glassline.analysis.compared import Compared, nothing_of
from glassline.data.samples import SampleTable
from glassline.errors import DataError, ModelError, SettingsError, TrackingError
from glassline.steps.promote_model import promote_model
from glassline.tracking.champion import find_champion
from glassline.tracking.cycles import FINAL
from glassline.tracking.rollback import roll_back
from tests.registered import exported, write_level_bundle

Candidate = Callable[..., str]


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A name in the registry of its own: tests of a module share one."""
    return f"glassline-{tmp_path.name}"


@pytest.fixture
def candidate(tmp_path: Path, model: str) -> Candidate:
    """Export a candidate and compare it with the champion of now: candidate(name, right=98) -> folder."""
    bundle = write_level_bundle(tmp_path / "bundle.zip")

    def make(name: str, right: int = 98, champion_error: str = "", differs: float = 0) -> str:
        answers = pd.DataFrame({"unit": [f"u{n}" for n in range(200)], "group": [f"g{n}" for n in range(200)]})
        answers["actual"] = ["dent"] * 100 + ["control"] * 100
        answers["candidate"] = ["dent"] * right + ["control"] * (100 - right) + ["control"] * 100
        answers["champion"] = ["dent"] * 80 + ["control"] * 120
        champion = find_champion(model)
        Compared(
            candidate={"name": name, "model": "cnn", "start": "scratch"}, export_run=exported(bundle), product="P",
            cycle="2026a", data_hash="d" * 64, clean_class="control",
            parity={"largest_difference": differs, "tolerance": 1},
            latency_ms={"median": 1, "p95": 2, "units": 3, "threads": 1, "machine": "x86_64"},
            answers=answers.assign(product="new", seen=False), champion=champion.version if champion else "",
            champion_run=champion.export_run if champion else "", champion_error=champion_error,
        ).write(tmp_path / name)  # fmt: skip
        return str(tmp_path / name)

    return make


@pytest.fixture
def promote(tmp_path: Path, model: str) -> Callable[..., tuple[str, dict]]:
    def run(*compared: str) -> tuple[str, dict]:
        decision = promote_model(compared, model, {}, str(tmp_path / "promotion.json"))
        return decision, json.loads((tmp_path / "promotion.json").read_text())

    return run


def test_promote_model_makes_champions_of_the_first_and_of_a_better_one(candidate, promote, model) -> None:
    assert promote(candidate("first", right=80))[0] == "promoted"
    decision, promotion = promote(candidate("better"))
    assert decision == "promoted"
    assert promotion["promoted"]
    assert (promotion["version"], promotion["champion"]) == ("2", "1")
    champion = find_champion(model)
    assert champion.version == "2"
    told = {"product": "P", "cycle": "2026a", "model": "cnn", "start": "scratch", "previous_champion": "1"}
    assert champion.tags.items() >= told.items()


def test_promote_model_keeps_the_champion_and_registers_an_equal_one(candidate, promote, model) -> None:
    promote(candidate("first"))
    decision, promotion = promote(candidate("equal", right=80))
    assert decision == "kept"
    assert not promotion["promoted"]
    aliases = tracking.client().get_registered_model(model).aliases
    assert aliases == {"champion": 1, "challenger": 2}


def test_promote_model_registers_the_best_of_several_candidates(candidate, promote, model) -> None:
    promote(candidate("first", right=80))
    _, promotion = promote(candidate("good", right=95), candidate("best", right=100), candidate("poor", right=70))
    assert promotion["candidate"] == "best"
    assert [one["passed"] for one in promotion["candidates"]] == [True, True, False]
    assert len(tracking.client().search_model_versions(f"name = '{model}'")) == 2


def test_promote_model_does_not_register_a_candidate_without_parity(candidate, promote, model) -> None:
    promote(candidate("first", right=80))
    _, promotion = promote(candidate("broken", right=100, differs=2), candidate("poor", right=70))
    assert promotion["candidate"] == "poor"
    decision, promotion = promote(candidate("broken", right=100, differs=2))
    assert (decision, promotion["version"]) == ("kept", "")
    assert [one["rule"] for one in promotion["reasons"] if not one["passed"]] == ["parity"]
    assert len(tracking.client().search_model_versions(f"name = '{model}'")) == 2


def _lost(tmp_path: Path, make_table: Callable[..., SampleTable], name: str) -> str:
    """Write the comparison of a candidate whose training failed."""
    candidate = {"name": name, "model": "triplet", "start": "scratch"}
    nothing_of(candidate, "run", make_table(["dent"]), "embeddings must differ").write(tmp_path / name)
    return str(tmp_path / name)


def test_promote_model_goes_on_without_a_candidate_whose_training_failed(
    candidate, promote, make_table, tmp_path
) -> None:
    decision, promotion = promote(_lost(tmp_path, make_table, "lost"), candidate("first"))
    assert (decision, promotion["candidate"]) == ("promoted", "first")
    (why,) = promotion["candidates"][0]["reasons"]
    assert (why["rule"], why["passed"]) == ("parity", False)
    assert "the training failed: embeddings must differ" in why["text"]


def test_promote_model_fails_where_the_training_of_every_candidate_failed(promote, make_table, tmp_path) -> None:
    with pytest.raises(ModelError, match=r"got none: a: embeddings must differ; b: embeddings must differ"):
        promote(*(_lost(tmp_path, make_table, name) for name in ("a", "b")))


def test_promote_model_takes_no_first_that_always_says_the_same(candidate, promote, model) -> None:
    decision, promotion = promote(candidate("constant", right=0))
    assert decision == "kept"
    assert "one that always says control" in promotion["reasons"][0]["text"]
    assert find_champion(model) is None


def test_promote_model_does_not_promote_again_what_was_rolled_back(candidate, promote, model) -> None:
    promote(candidate("first", right=80))
    better = candidate("better")
    promote(better)
    roll_back(model)
    decision, promotion = promote(better)  # as a try that was killed before it said so
    assert decision == "kept"
    assert "rolled back to version 1" in promotion["reasons"][0]["text"]
    assert tracking.client().search_runs(["1"], max_results=1)[0].data.tags[FINAL] == "true"
    assert find_champion(model).version == "1"


def test_promote_model_keeps_a_champion_that_cannot_judge(candidate, promote, model) -> None:
    promote(candidate("first"))
    decision, promotion = promote(candidate("second", champion_error="bundle.zip must be a whole bundle"))
    assert decision == "kept"
    assert "whole bundle" in promotion["reasons"][0]["text"]
    assert find_champion(model).version == "1"


def test_promote_model_leaves_every_reason_as_table_and_tag(candidate, promote) -> None:
    promote(candidate("first"))
    client = tracking.client()
    run = client.search_runs(["1"], "tags.`glassline.step` = 'promote_model'", max_results=1)[0]
    assert run.data.tags["gate.parity"].startswith("passed: ONNX Runtime differs")
    assert run.data.tags["verdict"] == "promoted"
    assert [one.path for one in client.list_artifacts(run.info.run_id, "tables")] == ["tables/reasons.json"]
    assert [one.path for one in client.list_artifacts(run.info.run_id, "figures")] == ["figures/gate.png"]


def test_promote_model_finishes_what_a_try_killed_before_the_alias_began(
    candidate, promote, model, monkeypatch
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise TrackingError("the registry is gone")

    first = candidate("first")
    with monkeypatch.context() as patch:
        patch.setattr("glassline.steps.promote_model.make_champion", unreachable)
        with pytest.raises(TrackingError, match="gone"):
            promote(first)
    assert find_champion(model) is None
    for _ in range(2):  # the second finds all of it done
        assert promote(first)[0] == "promoted"
    assert tracking.client().get_registered_model(model).aliases == {"champion": 1, "challenger": 1}


def test_promote_model_keeps_a_champion_that_was_not_compared(candidate, promote, model) -> None:
    promote(candidate("first", right=80))
    late = candidate("late")
    promote(candidate("other"))
    decision, promotion = promote(late)
    assert decision == "kept"
    assert "now version 2, not version 1, which was compared" in promotion["reasons"][0]["text"]
    assert find_champion(model).version == "2"


def test_promote_model_tells_a_verdict_that_another_try_may_change(candidate, promote) -> None:
    def told() -> str:
        runs = tracking.client().search_runs(["1"], "tags.`glassline.step` = 'promote_model'", max_results=1)
        return runs[0].data.tags[FINAL]

    promote(candidate("first", right=80))
    late, equal = candidate("late"), candidate("equal", right=80)
    promote(equal)
    assert told() == "true"
    promote(candidate("second", champion_error="bundle.zip must be a whole bundle"))
    assert told() == "false"
    promote(candidate("other"))
    promote(late)  # the champion moved meanwhile
    assert told() == "false"


def test_promote_model_of_a_registry_that_does_not_answer_leaves_no_promotion(
    candidate, promote, tmp_path, monkeypatch
) -> None:
    first = candidate("first")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="must answer"):
        promote(first)
    assert not (tmp_path / "promotion.json").exists()


def test_promote_model_refuses_a_setting_out_of_range(tmp_path) -> None:
    with pytest.raises(SettingsError, match="significance"):
        promote_model(["c"], "n", {"significance": 1.5}, str(tmp_path / "p.json"))


def test_promote_model_refuses_a_comparison_that_is_none(tmp_path) -> None:
    with pytest.raises(DataError, match="run it again"):
        promote_model([str(tmp_path)], "n", {}, str(tmp_path / "p.json"))
