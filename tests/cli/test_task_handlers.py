"""A step that says it succeeded without leaving what it declares has failed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from kfp import dsl, local

from glassline_cli.task_handlers import handlers, missing_outputs
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


def _command(tmp_path: Path) -> list[str]:
    outputs = {
        "outputFile": str(tmp_path / "executor_output.json"),
        "parameters": {"Output": {"outputFile": str(tmp_path / "Output")}},
        "artifacts": {"model": {"artifacts": [{"uri": str(tmp_path / "model")}]}},
    }
    return ["sh", "--executor_input", json.dumps({"outputs": outputs}), "--function_to_execute", "train"]


def test_missing_outputs_names_parameters_and_artifacts(tmp_path: Path) -> None:
    assert missing_outputs(_command(tmp_path)) == ["Output", "model"]


def test_missing_outputs_is_empty_when_all_are_there(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "executor_output.json").write_text(json.dumps({"parameterValues": {"Output": "abc"}}))
    assert missing_outputs(_command(tmp_path)) == []


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::RuntimeWarning", "ignore::DeprecationWarning")
def test_run_fails_when_a_step_leaves_no_artifact(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    @dsl.component(base_image="python:3.11", install_kfp_package=False)
    def forgetful(model: dsl.Output[dsl.Model]):
        print("nothing written")

    @dsl.pipeline(name="forgets")
    def forgets():
        forgetful()

    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "root"))
    with handlers(), pytest.raises(RuntimeError):
        forgets()
    assert "glassline> failed forgetful: EngineError: a step must leave all it declares" in capfd.readouterr().out


_SLOW = """
import os, time
def slow():
    open("PID", "w").write(str(os.getpid()))
    time.sleep(600)
"""
_RUN = """
from glassline_cli.step_process import run_in_process
if __name__ == "__main__":
    run_in_process(WORDS, {})
"""


def test_a_step_ends_with_the_run_that_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    given = json.dumps({"outputs": {"outputFile": str(tmp_path / "executor_output.json")}})
    words = ["sh", '"$@"', _SLOW.replace("PID", str(pid)), "--executor_input", given, "--function_to_execute", "slow"]
    (tmp_path / "run.py").write_text(_RUN.replace("WORDS", repr(words)))
    with subprocess.Popen([sys.executable, tmp_path / "run.py"]) as run:
        wait_until(lambda: pid.is_file() and pid.read_text(), 120)
        run.kill()
    wait_until(lambda: not _runs(pid.read_text()), 120)


_WHERE = """
def where():
    import glassline, os
    open("TOLD", "w").write("\\n".join([glassline.__file__, os.environ.get("PYTHONSAFEPATH", "")]))
"""


def test_a_step_runs_the_code_of_the_run_and_not_that_of_the_current_folder(tmp_path: Path) -> None:
    (tmp_path / "checkout/glassline").mkdir(parents=True)
    (tmp_path / "checkout/glassline/__init__.py").write_text("")
    given = json.dumps({"outputs": {"outputFile": str(tmp_path / "executor_output.json")}})
    code = _WHERE.replace("TOLD", str(tmp_path / "told"))
    words = ["sh", '"$@"', code, "--executor_input", given, "--function_to_execute", "where"]
    (tmp_path / "run.py").write_text(_RUN.replace("WORDS", repr(words)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, tmp_path / "run.py"], cwd=tmp_path / "checkout", env=environment, check=True)
    file, safe = (tmp_path / "told").read_text().split("\n")
    assert Path(file) == ROOT / "glassline/__init__.py"
    assert safe == ""  # what the server was started with stays with it


def _runs(pid: str) -> bool:
    """Tell whether a process runs; one that has ended may wait for somebody to ask for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
