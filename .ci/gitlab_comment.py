"""Comment a file on a commit in GitLab, and on the merge request that brought it.

    python .ci/gitlab_comment.py cycle/summary.md

Reads CI_API_V4_URL, CI_PROJECT_ID, CI_COMMIT_SHA and CYCLE_COMMENT_TOKEN; standard library only.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

_TIMEOUT_S = 30


def main() -> None:
    """Post the comment; without a token say so, since a missing comment is no reason to fail."""
    path = Path(sys.argv[1])
    token = os.environ.get("CYCLE_COMMENT_TOKEN", "")
    if not token or not path.is_file():
        print(f"no comment: {'CYCLE_COMMENT_TOKEN is not set' if path.is_file() else f'{path} is not there'}")
        return
    project = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}"
    commit, text = os.environ["CI_COMMIT_SHA"], path.read_text(encoding="utf-8")
    requests = _ask(f"{project}/repository/commits/{commit}/merge_requests", token)
    if requests:
        _ask(f"{project}/merge_requests/{int(requests[0]['iid'])}/notes", token, {"body": text})
    else:
        _ask(f"{project}/repository/commits/{commit}/comments", token, {"note": text})


def _ask(url: str, token: str, body: dict[str, str] | None = None) -> Any:
    """Return the answer to a GET, or to a POST of a body."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"PRIVATE-TOKEN": token, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)  # noqa: S310 - GitLab's own address
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    main()
