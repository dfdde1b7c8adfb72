"""What a Kubeflow Pipelines server answers when it cannot serve, in one line that names what to set."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from glassline.errors import GlasslineError, TrackingError
from glassline.tracking import without_secret

TOKEN = "GLASSLINE_KFP_TOKEN"  # noqa: S105 - the variable's name

#: What a server is asked first.
GREETING = "say that it is well"


class Refused(TrackingError):
    """The server answered, and refused."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextmanager
def answers(what: str, host: str, namespace: str, token: Callable[[], str]) -> Iterator[None]:
    """Turn what the API's client and its transport raise into one error.

    Args:
        what: What the server is to do: "create the run".
        host: Its address.
        namespace: Namespace of the user; "" where users are not kept apart.
        token: Reads the token, which no message may hold.

    Raises:
        TrackingError: The server is silent, something else, or refuses.
    """
    import kfp_server_api
    import urllib3

    try:
        yield
    except GlasslineError:
        raise
    except kfp_server_api.ApiException as error:
        said = _said(error, token())
        raise Refused(_refusal(what, error.status, said, host, namespace), error.status or 0) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise TrackingError(
            f"--host must be a Kubeflow Pipelines API that answers, got nothing of {host} ({_reason(error)}); check "
            "address, network and port-forward"
        ) from None
    except (ValueError, TypeError, AttributeError, KeyError):
        raise TrackingError(
            f"--host must be a Kubeflow Pipelines API, got something else of {host}; a login page means that the token "
            f"is missing or expired: set {TOKEN}, or add the path, as in https://kubeflow.example/pipeline"
        ) from None


def is_refused(error: TrackingError) -> bool:
    """Tell whether asking again is of no use: the user or the run is unknown, and the server is not just busy."""
    return isinstance(error, Refused) and 400 <= error.status < 500 and error.status not in (408, 429)


def first_line(error: object) -> str:
    """Return the first line of a message, without passwords and not too long."""
    return without_secret(str(error).partition("\n")[0])[:200]


def _reason(error: Exception) -> str:
    """Return why nothing came, without the pools and objects that urllib3 wraps it in."""
    return first_line(re.sub(r"^\w+\(host=.*?\): ", "", str(getattr(error, "reason", None) or error)))


def _refusal(what: str, status: int, said: str, host: str, namespace: str) -> str:
    if status in (401, 403):
        where = f" for namespace {namespace}" if namespace else ""
        return (
            f"{host} must let this user in{where}, got {status} ({said}); set {TOKEN} or --token-file to a valid "
            "token, and --namespace to one that it may use"
        )
    if status == 404 and what == GREETING:
        return f"--host must be a Kubeflow Pipelines API, got 404 of {host}; add the path, as in …/pipeline"
    return f"{host} must {what}, got {status} ({said}); mend what it names"


def _said(error: Any, token: str) -> str:
    """Return what a refusal says of itself, in one line without the token."""
    try:
        body = json.loads(error.body or "")
        text = body.get("message") or body.get("error") or ""
    except (ValueError, AttributeError):
        text = ""
    told = str(text).strip() or str(error.reason)
    # Before it is cut: the first part of a token would no longer be found.
    return first_line(told.replace(token, "***") if token else told)
