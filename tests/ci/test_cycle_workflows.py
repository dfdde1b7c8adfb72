"""The workflows that start a product cycle: they parse, and their scripts do as they say."""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = yaml.safe_load((ROOT / ".github/workflows/cycle.yml").read_text())
GITLAB = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())
GITLAB_CYCLE = yaml.safe_load((ROOT / ".ci/cycle.gitlab-ci.yml").read_text())[".cycle"]
STEPS = [step for job in GITHUB["jobs"].values() for step in job["steps"]]
UNSET = (
    "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "AWS_SESSION_TOKEN", "SERVER_CERTIFICATE", "CYCLE_STORE",
)  # fmt: skip

Run = Callable[..., subprocess.CompletedProcess[str]]


def _script(name: str) -> str:
    (found,) = [step["run"] for step in STEPS if step.get("name") == name]
    return str(found)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a script beside stand-ins of commands: run(script, commands={"glassline": "exit 10"}, MANIFEST="…")."""

    def call(
        script: str, commands: dict[str, str] | None = None, shell: str = "bash", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "bin").mkdir(exist_ok=True)
        for name, body in (commands or {}).items():
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
            (tmp_path / "bin" / name).chmod(0o755)
        told = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "shown"), "MLFLOW_TRACKING_URI": "http://mlflow",
            **dict.fromkeys(UNSET, ""), **variables,
        }  # fmt: skip
        return subprocess.run([shell, "-e", "-c", script], env=told, cwd=tmp_path, capture_output=True, text=True)

    return call


def _git(folder: Path, *words: str) -> str:
    named = ["-c", "user.name=A", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", *named, *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()  # fmt: skip


@pytest.fixture
def landed(tmp_path: Path) -> Callable[[str], tuple[str, str]]:
    """Commit a file in a repository with our scripts, and return the commits before and after: landed(path)."""
    _git(tmp_path, "init", "-q")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci/landed_manifests").write_bytes((ROOT / ".ci/landed_manifests").read_bytes())
    (tmp_path / ".ci/landed_manifests").chmod(0o755)
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-qm", "first")

    def land(path: str, content: str = "product: P7") -> tuple[str, str]:
        before = _git(tmp_path, "rev-parse", "HEAD")
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
        _git(tmp_path, "add", ".")
        _git(tmp_path, "commit", "-qm", "landed")
        return before, _git(tmp_path, "rev-parse", "HEAD")

    return land


def test_actions_are_pinned() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert len(used) >= 4
    assert all(re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", one) for one in used)


def test_scripts_take_values_from_the_environment_alone() -> None:
    assert not [step["run"] for step in STEPS if "${{" in step.get("run", "")]


@pytest.mark.parametrize("name", [step["name"] for step in STEPS if "run" in step])
def test_script_is_a_script(name: str) -> None:
    subprocess.run(["bash", "-n"], input=_script(name), text=True, check=True)


def test_two_cycles_of_a_product_never_run_at_once() -> None:
    assert GITHUB["jobs"]["cycle"]["concurrency"] == {
        "group": "cycle-${{ matrix.product }}", "cancel-in-progress": False
    }  # fmt: skip


def test_commands_have_the_options_that_the_workflows_give() -> None:
    scripts = _script("cycle") + "".join(GITLAB_CYCLE["script"])
    given = set(re.findall(r"--[a-z]+", "".join(re.findall(r"glassline cycle.*?\n\n?", scripts)) + scripts))
    words = [sys.executable, "-m", "glassline_cli", "cycle", "--help"]
    told = subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"})
    assert {"--manifest", "--out", "--summary", "--store"} <= given
    assert all(option in told.stdout for option in given)


@pytest.mark.parametrize("code", [0, 10, 20, 30])
def test_cycle_script_keeps_the_exit_code(run: Run, tmp_path: Path, code: int) -> None:
    fake = f'printf "%s\\n" "$@" > words; env > variables; exit {code}'
    done = run(_script("cycle"), {"glassline": fake}, MANIFEST="cycles/P7/a.yaml", CYCLE_STORE="s3://b/store")
    assert (done.returncode, (tmp_path / "output").read_text()) == (0, f"code={code}\n"), done.stderr
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["cycle", "--manifest", "cycles/P7/a.yaml"]
    assert words[-2:] == ["--store", "s3://b/store"]
    variables = (tmp_path / "variables").read_text()
    assert not [name for name in ("AWS_ENDPOINT_URL", "MLFLOW_TRACKING_TOKEN") if name in variables]  # empty ones


def test_cycle_script_hands_on_tokens_and_trusts_an_authority_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_text("public")
    commands = {"glassline": "env > variables", "python": f"echo {tmp_path}/public.pem"}
    secrets = {"MLFLOW_TRACKING_TOKEN": "t1", "AWS_SESSION_TOKEN": "t2", "SERVER_CERTIFICATE": "our own"}
    done = run(_script("cycle"), commands, MANIFEST="m", CYCLE_STORE="s3://b/s", **secrets)
    assert done.returncode == 0, done.stderr
    variables = dict(line.split("=", 1) for line in (tmp_path / "variables").read_text().splitlines() if "=" in line)
    assert (variables["MLFLOW_TRACKING_TOKEN"], variables["AWS_SESSION_TOKEN"]) == ("t1", "t2")
    assert variables["MLFLOW_TRACKING_SERVER_CERT_PATH"] == variables["AWS_CA_BUNDLE"]
    assert Path(variables["AWS_CA_BUNDLE"]).read_text().split() == ["public", "our", "own"]


def test_runs_are_told_the_commit_that_is_installed() -> None:
    (cycle,) = [step for step in STEPS if step.get("name") == "cycle"]
    assert cycle["env"]["GLASSLINE_COMMIT"] == "${{ github.sha }}"
    assert GITLAB_CYCLE["variables"]["GLASSLINE_COMMIT"] == "$CI_COMMIT_SHA"


def test_no_checkout_leaves_a_token_behind() -> None:
    checkouts = [step for step in STEPS if step.get("uses", "").startswith("actions/checkout")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(checkouts)


def test_every_secret_that_is_empty_is_unset() -> None:
    named = set(re.findall(r"secrets\.(\w+)", str(GITHUB)))
    assert "AWS_SESSION_TOKEN" in named
    assert [name for name in named if name not in _script("cycle")] == []


@pytest.mark.parametrize("lacking", ["MLFLOW_TRACKING_URI", "CYCLE_STORE"])
def test_cycle_script_needs_a_tracking_server_and_a_store(run: Run, tmp_path: Path, lacking: str) -> None:
    told = {"CYCLE_STORE": "s3://b/s", lacking: ""}
    done = run(_script("cycle"), {"glassline": "exit 0"}, MANIFEST="m", **told)
    assert (done.returncode, (tmp_path / "output").read_text()) == (0, "code=30\n")
    assert lacking in (tmp_path / "cycle/summary.md").read_text()


@pytest.mark.parametrize("lacking", ["MLFLOW_TRACKING_URI", "CYCLE_STORE"])
def test_gitlab_job_needs_a_tracking_server_and_a_store(run: Run, tmp_path: Path, lacking: str) -> None:
    told = {"CYCLE_STORE": "s3://b/s", lacking: ""}
    done = run("\n".join(GITLAB_CYCLE["script"]), {"glassline": "exit 0"}, "sh", MANIFEST="m", **told)
    assert done.returncode == 30
    assert lacking in (tmp_path / "cycle/summary.md").read_text()


@pytest.mark.parametrize(("code", "ends"), [("0", 0), ("10", 0), ("20", 20), ("30", 30), ("1", 1), ("", 30)])
def test_job_ends_with_the_exit_code(run: Run, code: str, ends: int) -> None:
    done = run(_script("verdict"), CODE=code)
    assert done.returncode == ends
    assert done.stdout.startswith({"0": "::notice", "10": "::warning"}.get(code, "::error"))


@pytest.mark.parametrize(("pull", "place"), [("12", "issues/12/comments"), ("", "commits/abc/comments")])
def test_comment_goes_to_the_pull_request_else_to_the_commit(run: Run, tmp_path: Path, pull: str, place: str) -> None:
    fake = f'printf "%s " "$@" >> asked; case "$2" in *pulls) printf "%s" "{pull}";; esac'
    (tmp_path / "cycle").mkdir()
    (tmp_path / "cycle/summary.md").write_text("### P7 `$(touch hacked)`")
    done = run(_script("comment"), {"gh": fake}, GH_TOKEN="t", REPOSITORY="o/r", COMMIT="abc", CODE="0")
    assert done.returncode == 0, done.stderr
    assert f"repos/o/r/{place} --field body=@cycle/summary.md" in (tmp_path / "asked").read_text()
    assert not (tmp_path / "hacked").exists()


def test_comment_tells_that_nothing_could_be_installed(run: Run, tmp_path: Path) -> None:
    done = run(_script("comment"), {"gh": "exit 0"}, GH_TOKEN="t", REPOSITORY="o/r", COMMIT="abc", CODE="")
    assert done.returncode == 0, done.stderr
    assert "failed before the cycle began" in (tmp_path / "shown").read_text()


def test_what_tells_of_a_cycle_does_not_fail_it_and_tells_two_cycles_apart() -> None:
    told = {step.get("name"): step for step in STEPS}
    comment, kept = told["comment"], told["keep summary, report and log"]
    assert comment["continue-on-error"] is kept["continue-on-error"] is True
    assert re.sub(r"\$\{\{.*?\}\}", "", kept["with"]["name"]) == "cycle@@"  # `@` is in no name


def test_manifests_that_landed_are_listed(run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]) -> None:
    before, after = landed("cycles/P7/2026b.yaml")
    done = run(_script("find manifests that landed"), BEFORE=before, AFTER=after, NAMED="")
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "output").read_text().removeprefix("odd=0\nlist="))
    assert told == [{"manifest": "cycles/P7/2026b.yaml", "product": "P7", "cycle": "2026b"}]


def test_no_job_is_started_where_nothing_landed(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    before, after = landed("docs/a.md")
    run(_script("find manifests that landed"), BEFORE=before, AFTER=after, NAMED="")
    assert (tmp_path / "output").read_text() == "odd=0\nlist=[]\n"  # what the jobs' conditions compare


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("docs/cycles/a.md", ""),
        ("cycles/P7/older/a.yaml", "product: P7"),
        ("cycles/P7/sources.yaml", "# older sets\n---\n- data: older\n  product: P6\n"),
        ("cycles/P7/older.yaml", "[{data: older, product: P6}]"),
    ],
)
def test_other_files_are_no_manifests(
    run: Run, landed: Callable[..., tuple[str, str]], path: str, content: str
) -> None:
    before, after = landed(path, content)
    assert run(f".ci/landed_manifests {before} {after}").stdout == ""


def test_manifests_of_a_new_branch_are_all_there_are(run: Run, landed: Callable[..., tuple[str, str]]) -> None:
    landed("cycles/P7/2026b.yaml")
    landed("cycles/P7/older/a.yaml")
    landed("cycles/P8/sources.yaml", "- data: older")
    _, after = landed("docs/a.md")
    assert run(f".ci/landed_manifests {'0' * 40} {after}").stdout == "cycles/P7/2026b.yaml\n"


def test_manifest_that_a_merge_brought_is_found_where_the_commit_before_is_unknown(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    _git(tmp_path, "checkout", "-qb", "brought")
    landed("cycles/P7/2026b.yaml")
    _git(tmp_path, "checkout", "-q", "-")
    landed("docs/a.md")
    _git(tmp_path, "merge", "-q", "--no-ff", "-m", "merge", "brought")
    done = run(f".ci/landed_manifests {'f' * 40} {_git(tmp_path, 'rev-parse', 'HEAD')}")
    assert done.stdout == "cycles/P7/2026b.yaml\n"


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", ['P7/a"b.yaml', "P7/a b.yaml", "P7/$(touch hacked).yaml", "..P7/a.yaml", "P7/a.yml"])
def test_manifest_with_an_odd_name_is_refused_and_the_others_are_listed(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]], name: str, known: bool
) -> None:
    before, _ = landed(f"cycles/{name}")
    _, after = landed("cycles/P7/2026b.yaml")
    done = run(f".ci/landed_manifests {before if known else '0' * 40} {after}")
    assert (done.returncode, done.stdout) == (1, "cycles/P7/2026b.yaml\n")
    assert "rename" in done.stderr
    assert not (tmp_path / "hacked").exists()


def test_jobs_of_the_other_manifests_start_where_one_is_named_oddly(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    before, _ = landed("cycles/P7/a.yml")
    _, after = landed("cycles/P7/2026b.yaml")
    done = run(_script("find manifests that landed"), BEFORE=before, AFTER=after, NAMED="")
    assert done.returncode == 0
    told = (tmp_path / "output").read_text()
    assert told.startswith("odd=1\n")
    assert "2026b.yaml" in told
    assert GITHUB["jobs"]["names"]["if"] == "needs.manifests.outputs.odd != '0'"
    assert run(_script("refuse odd names")).returncode == 1


def test_gitlab_starts_the_other_manifests_where_one_is_named_oddly(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    before, _ = landed("cycles/P7/a.yml")
    _, after = landed("cycles/P7/2026b.yaml")
    script = "\n".join(GITLAB["manifests"]["script"])
    assert run(script, shell="sh", CI_COMMIT_BEFORE_SHA=before, CI_COMMIT_SHA=after).returncode == 0
    told = yaml.safe_load((tmp_path / "cycles.yml").read_text())
    assert told["P7 2026b"]["variables"] == {"MANIFEST": "cycles/P7/2026b.yaml"}
    assert run("\n".join(told["names"]["script"]), shell="sh").returncode == 1


def test_gitlab_makes_a_job_of_each_manifest(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    before, after = landed("cycles/P7/2026b.yaml")
    script = "\n".join(GITLAB["manifests"]["script"])
    done = run(script, shell="sh", CI_COMMIT_BEFORE_SHA=before, CI_COMMIT_SHA=after)
    assert done.returncode == 0, done.stderr
    told = yaml.safe_load((tmp_path / "cycles.yml").read_text())
    assert told.pop("include") == {"local": "/.ci/cycle.gitlab-ci.yml"}
    assert told == {
        "P7 2026b": {
            "extends": ".cycle", "resource_group": "cycle-P7", "variables": {"MANIFEST": "cycles/P7/2026b.yaml"}
        }
    }  # fmt: skip


def test_gitlab_has_a_job_where_nothing_landed(
    run: Run, tmp_path: Path, landed: Callable[[str], tuple[str, str]]
) -> None:
    before, after = landed("docs/a.md")
    script = "\n".join(GITLAB["manifests"]["script"])
    run(script, shell="sh", CI_COMMIT_BEFORE_SHA=before, CI_COMMIT_SHA=after)
    assert "nothing landed" in yaml.safe_load((tmp_path / "cycles.yml").read_text())


@pytest.mark.parametrize("code", [0, 10, 20])
def test_gitlab_job_ends_with_the_exit_code(run: Run, tmp_path: Path, code: int) -> None:
    fake = f'printf "%s\\n" "$@" > words; exit {code}'
    done = run("\n".join(GITLAB_CYCLE["script"]), {"glassline": fake}, "sh", MANIFEST="m", CYCLE_STORE="s3://b/s")
    assert done.returncode == code
    assert (tmp_path / "words").read_text().split()[-2:] == ["--store", "s3://b/s"]
    assert GITLAB_CYCLE["allow_failure"] == {"exit_codes": [10]}


@pytest.mark.parametrize("broken", ["apt-get", "python"])
def test_gitlab_job_that_cannot_install_ends_as_a_failed_machine(run: Run, tmp_path: Path, broken: str) -> None:
    commands = {"apt-get": "exit 0", "python": "exit 0", broken: "exit 1"}
    done = run("\n".join([*GITLAB_CYCLE["before_script"], "echo cycle"]), commands, "sh")
    assert (done.returncode, done.stdout) == (30, "")
    assert "before the cycle began" in (tmp_path / "cycle/summary.md").read_text()


@pytest.fixture
def gitlab() -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
    """Serve a stand-in of GitLab's API and return its address and what it was asked: method, path and body."""
    asked: list[tuple[str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, body: Any) -> None:
            asked.append((self.command, self.path, body))
            told = json.dumps([{"iid": 3}] if self.path.startswith("/projects/1/") and body is None else []).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("project", "place", "field"),
    [("1", "/projects/1/merge_requests/3/notes", "body"), ("2", "/projects/2/repository/commits/abc/comments", "note")],
)
def test_gitlab_comment_goes_to_the_merge_request_else_to_the_commit(
    run: Run, tmp_path: Path, gitlab: tuple[str, list[tuple[str, str, Any]]], project: str, place: str, field: str
) -> None:
    (tmp_path / "summary.md").write_text("### P7")
    told = {"CI_API_V4_URL": gitlab[0], "CI_PROJECT_ID": project, "CI_COMMIT_SHA": "abc", "CYCLE_COMMENT_TOKEN": "t"}
    done = run(f"{sys.executable} {ROOT}/.ci/gitlab_comment.py summary.md", **told)
    assert done.returncode == 0, done.stderr
    assert gitlab[1][-1] == ("POST", place, {field: "### P7"})


def test_gitlab_job_does_not_fail_for_want_of_a_token(run: Run) -> None:
    done = run(f"{sys.executable} {ROOT}/.ci/gitlab_comment.py summary.md", CYCLE_COMMENT_TOKEN="")
    assert done.returncode == 0
    assert "no comment" in done.stdout


@pytest.mark.parametrize("name", [".github/workflows/cycle.yml", ".ci/cycle.gitlab-ci.yml"])
def test_what_is_installed_can_run_a_cycle(name: str) -> None:
    extras = re.search(r"'\.\[([a-z,]+)\]'", (ROOT / name).read_text())
    assert extras
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {re.split(r"[>=<!\[]", line)[0] for extra in extras[1].split(",") for line in told[extra]}
    assert {"mlflow", "pandas", "kfp", "torch", "onnxruntime", "openTSNE"} <= names
